// Command gate-decide compares candidate and champion and writes the report (evaluate-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("gate-decide") }
