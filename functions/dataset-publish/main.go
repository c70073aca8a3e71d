// Command dataset-publish makes admitted rows a dataset version (ingest-data).
package main

import "github.com/perennial-llm/perennial/pkg/aws/host"

func main() { host.ServeTask("dataset-publish") }
