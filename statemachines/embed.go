// Package statemachines holds the platform's workflows as Amazon States Language. The very same files
// run in Step Functions and on one machine.
package statemachines

import (
	"embed"
	"encoding/json"
	"io/fs"
	"strings"
)

//go:embed *.asl.json
var files embed.FS

// All gives every machine by name, such as "train-model", with its ${substitutions} still in place.
func All() map[string]json.RawMessage {
	names, err := fs.Glob(files, "*.asl.json")
	if err != nil {
		panic(err) // the pattern is constant
	}
	out := map[string]json.RawMessage{}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			panic(err) // embedded at build time
		}
		out[strings.TrimSuffix(name, ".asl.json")] = b
	}
	return out
}
