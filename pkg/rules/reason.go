package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

var word = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*`)

// jsonReason explains why a text is not JSON, for the commonest faults in the words of AWS's parser.
func jsonReason(raw []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err.Error()
	}
	at := min(max(int(syntax.Offset)-1, 0), len(raw))
	before := bytes.TrimRight(raw[:at], " \t\r\n")
	start := at
	for start > 0 && word.Match(raw[start-1:start]) {
		start--
	}
	if w := word.Find(raw[start:]); w != nil {
		return fmt.Sprintf("Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", w)
	}
	if at < len(raw) && len(before) > 0 && before[len(before)-1] == '{' {
		return fmt.Sprintf("Unexpected character ('%c' (code %d)): was expecting double-quote to start field name", raw[at], raw[at])
	}
	return syntax.Error()
}
