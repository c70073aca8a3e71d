// Command training-plan freezes what a run will learn (train-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("training-plan") }
