// Command rollback-verify checks that the digest gone back to answers (rollback-release).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("rollback-verify") }
