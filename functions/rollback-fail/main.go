// Command rollback-fail records that a rollback is not verified (rollback-release).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("rollback-fail") }
