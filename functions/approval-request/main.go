// Command approval-request asks people, with the token of the execution that waits (release-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("approval-request") }
