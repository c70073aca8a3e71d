// Package sdk knows the API actions that Step Functions calls through arn:aws:states:::aws-sdk:<service>:<action>,
// and the fields of their requests.
package sdk

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the list
	"io"
	"strings"
	"sync"
)

// packed is written by scripts/gen/sdk_actions.py from AWS's own service models.
//
//go:embed actions.txt.gz
var packed []byte

// services gives each service's actions with their fields, by name.
var services = sync.OnceValue(func() map[string]string {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("the embedded list of AWS actions is damaged: " + err.Error())
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		panic("the embedded list of AWS actions is damaged: " + err.Error())
	}
	found := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		name, actions, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		found[name] = actions
	}
	return found
})

// Field is one field of an action's request.
type Field struct {
	Name     string
	Required bool
	Text     bool // it holds a text
	Whole    bool // it holds a whole number
	Loose    bool // the case of its letters is not sure
}

// Is tells whether the field is written so.
func (f Field) Is(name string) bool {
	return f.Name == name || f.Loose && strings.EqualFold(f.Name, name)
}

// Has tells whether there is the action, such as "sagemaker:describeEndpoint".
func Has(action string) bool {
	_, ok := find(action)
	return ok
}

// Fields gives the fields of an action's request, none for an action that does not exist.
func Fields(action string) []Field {
	words, _ := find(action)
	var out []Field
	for _, w := range words {
		name := strings.TrimRight(w, "*~$#")
		signs := w[len(name):]
		has := func(sign string) bool { return strings.Contains(signs, sign) }
		out = append(out, Field{Name: name, Required: has("*"), Text: has("$"), Whole: has("#"), Loose: has("~")})
	}
	return out
}

func find(action string) (fields []string, ok bool) {
	service, name, _ := strings.Cut(action, ":")
	for entry := range strings.SplitSeq(services()[service], "\t") {
		if words := strings.Fields(entry); len(words) > 0 && words[0] == name {
			return words[1:], true
		}
	}
	return nil, false
}
