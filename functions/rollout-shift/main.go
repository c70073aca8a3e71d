// Command rollout-shift gives a version its next share of traffic (release-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("rollout-shift") }
