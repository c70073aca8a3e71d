// Command dataset-quarantine sets an arrival aside until a person decides (ingest-data).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("dataset-quarantine") }
