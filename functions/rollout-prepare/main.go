// Command rollout-prepare readies an environment for a version (release-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("rollout-prepare") }
