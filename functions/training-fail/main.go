// Command training-fail records why a run failed and frees its model (train-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("training-fail") }
