// Command rollout-revert sends traffic back (release-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("rollout-revert") }
