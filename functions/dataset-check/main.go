// Command dataset-check admits the rows of an arrival (ingest-data).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("dataset-check") }
