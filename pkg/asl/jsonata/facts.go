package jsonata

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dop251/goja"
)

// IsExpression tells whether a template string is an expression: "{% … %}" with nothing outside.
func IsExpression(s string) bool {
	return len(s) >= 4 && strings.HasPrefix(s, "{%") && strings.HasSuffix(s, "%}")
}

// Source takes the markers off an expression.
func Source(s string) string {
	if !IsExpression(s) {
		return s
	}
	return strings.TrimSpace(s[2 : len(s)-2])
}

// Facts is what an expression refers to.
type Facts struct {
	Variables     []string   `json:"variables"` // free variables, without $
	Functions     []string   `json:"functions"` // called by name; "?name" when called without $
	States        [][]string `json:"states"`    // paths below $states
	Names         []string   `json:"names"`     // field names at top level, where there is no input
	Context       bool       `json:"context"`   // $ at top level
	Root          bool       `json:"root"`      // $$
	AssignsStates bool       `json:"assignsStates"`
}

// SyntaxError is jsonata's answer to an expression that it cannot parse.
type SyntaxError struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	Position int    `json:"position"`
}

// Error gives code and message.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// Inspect parses an expression (without markers) and reports what it refers to.
func (p *Pool) Inspect(source string) (Facts, error) {
	text, err := p.with(func(m *machine) (goja.Value, error) {
		return m.facts(goja.Undefined(), m.vm.ToValue(source))
	})
	if err != nil {
		return Facts{}, err
	}
	var answer struct {
		Facts Facts        `json:"facts"`
		Error *SyntaxError `json:"error"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return Facts{}, fmt.Errorf("jsonata: read facts: %w", err)
	}
	if answer.Error != nil {
		return Facts{}, answer.Error
	}
	return answer.Facts, nil
}
