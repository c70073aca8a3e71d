package jsonata

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dop251/goja"
)

// Evaluate evaluates one expression (without markers) with an input document, nil for none, and
// bindings, a JSON object. A nil value means that the expression returned nothing. A failure of the
// expression itself is an *Error.
func (p *Pool) Evaluate(source string, input json.RawMessage, bindings []byte, now time.Time) (json.RawMessage, error) {
	text, err := p.with(func(m *machine) (goja.Value, error) {
		m.now = now
		return m.evaluate(goja.Undefined(), m.vm.ToValue(source), m.vm.ToValue(string(input)), m.vm.ToValue(string(bindings)))
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Value json.RawMessage                 `json:"value"`
		Error *struct{ Code, Message string } `json:"error"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, fmt.Errorf("jsonata: read answer: %w", err)
	}
	if answer.Error != nil {
		return nil, &Error{Kind: Thrown, Expression: source, Code: answer.Error.Code, Message: answer.Error.Message}
	}
	return answer.Value, nil
}

// tree gives an expression's syntax tree; ok is false when it cannot be parsed or written down.
func (p *Pool) tree(source string) (tree json.RawMessage, ok bool) {
	text, err := p.with(func(m *machine) (goja.Value, error) { return m.tree(goja.Undefined(), m.vm.ToValue(source)) })
	return json.RawMessage(text), err == nil && text != ""
}
