// Command api serves the HTTP API and the gateway behind API Gateway.
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeAPI() }
