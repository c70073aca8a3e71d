// Package contract is what the training containers and the platform agree on: the JSON Schemas of a job's configuration
// and the metric lines. Python reads the very same files (training/continual/config.py); the fixtures beside them hold both.
package contract

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Files holds the schemas and the fixtures, by the paths in this folder.
//
//go:embed *.schema.json metrics.json run eval
var Files embed.FS

// Check holds a configuration against the schema of a job, "train" or "evaluate". Each message is
// "field.path: what is wrong and what is legal", in the words that the container uses too.
func Check(job string, raw []byte) []string {
	name := map[string]string{"train": "run.schema.json", "evaluate": "eval.schema.json"}[job]
	document, err := decode(raw)
	if err != nil {
		return []string{fmt.Sprintf("(root): not valid JSON: %v", err)}
	}
	file, err := Files.ReadFile(name)
	if err != nil {
		return []string{fmt.Sprintf("job: must be one of train, evaluate; is %q", job)}
	}
	var rules schema
	if err := json.Unmarshal(file, &rules); err != nil {
		return []string{fmt.Sprintf("%s: %v", name, err)}
	}
	return rules.errors(document, "")
}

// CheckSections holds a model's own sections of run.json ({"train": {"epochs": 3}, …}) against the schema.
// The platform sets schema, job, preset and seed itself, so they are refused here.
func CheckSections(raw []byte) error {
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sections); err != nil {
		return errors.New("(root): must be an object of sections such as {\"train\": {\"epochs\": 3}}")
	}
	for _, set := range []string{"schema", "job", "preset", "seed"} {
		if _, there := sections[set]; there {
			return fmt.Errorf("%s: is set by the platform; leave it out", set)
		}
	}
	if sections == nil {
		sections = map[string]json.RawMessage{}
	}
	sections["schema"], sections["job"] = json.RawMessage("1"), json.RawMessage(`"train"`)
	whole, err := json.Marshal(sections)
	if err != nil {
		return err
	}
	if wrong := Check("train", whole); len(wrong) > 0 {
		return errors.New(strings.Join(wrong[:min(3, len(wrong))], "; "))
	}
	return nil
}

// decode reads one JSON document and keeps numbers as written.
func decode(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one document")
	}
	return document, nil
}
