// Command rollout-judge looks at a canary (release-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("rollout-judge") }
