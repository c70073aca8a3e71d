// Command training-conclude ends a run that asks for no release (train-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("training-conclude") }
