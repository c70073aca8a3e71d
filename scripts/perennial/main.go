// Perennial on one machine, and its command line.
package main

import (
	"os"

	"github.com/perennial-llm/perennial/pkg/local/command"
)

// version is set by the build.
var version = "0.1.0"

func main() { os.Exit(command.Main(version, os.Args[1:], os.Stdout, os.Stderr)) }
