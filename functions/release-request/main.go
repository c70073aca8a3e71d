// Command release-request asks for the release of a run's candidate (train-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("release-request") }
