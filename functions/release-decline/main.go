// Command release-decline ends a release that was not approved (release-model).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("release-decline") }
