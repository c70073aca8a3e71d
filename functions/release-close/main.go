// Command release-close ends a release that reached its last environment (release-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("release-close") }
