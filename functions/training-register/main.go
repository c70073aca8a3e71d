// Command training-register records what a training job made as a candidate (train-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("training-register") }
