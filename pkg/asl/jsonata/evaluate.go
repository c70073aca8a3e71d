package jsonata

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dop251/goja"
)

// Question is one expression of the official test suite with what it is evaluated on.
type Question struct {
	Source   json.RawMessage // the expression (without markers) as a JSON text, which keeps half characters
	Input    json.RawMessage // nil for none
	Bindings json.RawMessage // a JSON object
	// Time and Depth are the suite's own limits, whose excess is jsonata's error U1001; zero means none.
	Time  time.Duration
	Depth int
}

// Evaluate evaluates one expression with an input document. A nil value means that the expression returned
// nothing. A failure of the expression itself is an *Error.
func (p *Pool) Evaluate(q Question, now time.Time) (json.RawMessage, error) {
	text, err := p.with(func(m *machine) (goja.Value, error) {
		m.now = now
		m.late.Store(false)
		timer := time.AfterFunc(q.Time, func() { m.late.Store(true) })
		defer timer.Stop()
		to := m.vm.ToValue
		return m.evaluate(goja.Undefined(), halves(q.Source), to(string(q.Input)), to(string(q.Bindings)), to(q.Depth))
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
		return nil, &Error{Kind: Thrown, Expression: string(q.Source), Code: answer.Error.Code, Message: answer.Error.Message}
	}
	return answer.Value, nil
}

// tree gives an expression's syntax tree; ok is false when it cannot be parsed or written down.
func (p *Pool) tree(source string) (tree json.RawMessage, ok bool) {
	text, err := p.with(func(m *machine) (goja.Value, error) { return m.tree(goja.Undefined(), m.vm.ToValue(source)) })
	return json.RawMessage(text), err == nil && text != ""
}
