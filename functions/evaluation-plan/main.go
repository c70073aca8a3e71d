// Command evaluation-plan freezes which versions answer which benchmarks (evaluate-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("evaluation-plan") }
