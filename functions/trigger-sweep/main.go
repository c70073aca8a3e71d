// Command trigger-sweep starts what is due and goes on with what was interrupted (each minute).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("trigger-sweep") }
