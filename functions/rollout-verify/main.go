// Command rollout-verify checks that the intended digest answers (release-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("rollout-verify") }
