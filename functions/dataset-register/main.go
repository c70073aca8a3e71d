// Command dataset-register makes ingestions of objects that arrived (messages of the arrivals queue).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeBatch("dataset-register") }
