// Package sdk knows the API actions that Step Functions calls through arn:aws:states:::aws-sdk:<service>:<action>.
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

var all = sync.OnceValue(func() map[string]bool {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("the embedded list of AWS actions is damaged: " + err.Error())
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		panic("the embedded list of AWS actions is damaged: " + err.Error())
	}
	found := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		words := strings.Fields(line)
		for _, action := range words[1:] {
			found[words[0]+":"+action] = true
		}
	}
	return found
})

// Has tells whether there is the action, such as "sagemaker:describeEndpoint".
func Has(action string) bool { return all()[action] }
