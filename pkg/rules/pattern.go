// Package rules decides what events and times mean: EventBridge event patterns with AWS's validation
// errors, and schedules (cron, rate, at) in time zones.
//
// Patterns follow the open-source event ruler that EventBridge runs: an event is flattened into named
// leaves, a pattern into alternatives of named conditions, and fields of one match must lie in the same
// elements of arrays of objects.
package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Pattern is a parsed event pattern.
type Pattern struct{ alternatives []alternative }

// alternative is a conjunction: every condition must hold.
type alternative []condition

// condition says that a field must satisfy one of the tests.
type condition struct {
	name  string
	tests []test
}

// maxAlternatives is AWS's limit for what $or may expand to.
const maxAlternatives = 1000

// maxPattern is AWS's limit for the size of a pattern, in bytes.
const maxPattern = 4096

// PatternError is AWS's answer to a pattern that it refuses (InvalidEventPatternException).
type PatternError struct{ Reason string }

// Error gives AWS's message.
func (e *PatternError) Error() string { return "Event pattern is not valid. Reason: " + e.Reason }

func invalid(format string, args ...any) error {
	return &PatternError{Reason: fmt.Sprintf(format, args...)}
}

// ParsePattern reads and checks a pattern.
func ParsePattern(raw []byte) (Pattern, error) {
	if len(raw) > maxPattern {
		return Pattern{}, invalid("Pattern is too long: %d bytes, at most %d are allowed", len(raw), maxPattern)
	}
	v, err := decodeJSON(raw)
	if err != nil {
		return Pattern{}, invalid("%s", jsonReason(raw, err))
	}
	o, ok := v.(map[string]any)
	if !ok {
		return Pattern{}, invalid("Filter is not an object")
	}
	alternatives, err := parseObject(o, "", []alternative{nil})
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{alternatives}, nil
}

func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON value")
	}
	return v, nil
}

// parseObject adds the conditions of an object to every alternative.
func parseObject(o map[string]any, prefix string, into []alternative) ([]alternative, error) {
	if len(o) == 0 {
		return nil, invalid("Empty objects are not allowed")
	}
	var err error
	for _, key := range sortedKeys(o) {
		if branches, ok := orBranches(key, o[key]); ok {
			into, err = parseOr(branches, prefix, into)
		} else {
			into, err = parseField(o[key], join(prefix, key), key, into)
		}
		if err != nil {
			return nil, err
		}
		if len(into) > maxAlternatives {
			return nil, invalid("Too many alternatives: $or expands to more than %d", maxAlternatives)
		}
	}
	return into, nil
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// orBranches tells whether a member is an "$or": a list of two or more objects none of which uses an
// operator's name as a field. Anything else is an ordinary field that happens to be called $or.
func orBranches(key string, v any) ([]map[string]any, bool) {
	items, ok := v.([]any)
	if key != "$or" || !ok || len(items) < 2 {
		return nil, false
	}
	out := make([]map[string]any, len(items))
	for i, it := range items {
		o, isObject := it.(map[string]any)
		if !isObject || len(o) == 0 {
			return nil, false
		}
		for k := range o {
			if operators[k] {
				return nil, false
			}
		}
		out[i] = o
	}
	return out, true
}

func parseOr(branches []map[string]any, prefix string, into []alternative) ([]alternative, error) {
	var out []alternative
	for _, b := range branches {
		copies := make([]alternative, len(into))
		for i, a := range into {
			copies[i] = append(alternative(nil), a...)
		}
		more, err := parseObject(b, prefix, copies)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func parseField(v any, name, key string, into []alternative) ([]alternative, error) {
	switch v := v.(type) {
	case map[string]any:
		return parseObject(v, name, into)
	case []any:
		tests, err := parseTests(v)
		if err != nil {
			return nil, err
		}
		for i := range into {
			into[i] = append(into[i], condition{name, tests})
		}
		return into, nil
	}
	return nil, invalid("\"%s\" must be an object or an array", key)
}

// Match tells whether an event matches.
func (p Pattern) Match(e Event) bool {
	for _, a := range p.alternatives {
		if a.match(e, nil) {
			return true
		}
	}
	return false
}

// match finds a field for every condition such that all of them fit together.
func (a alternative) match(e Event, at position) bool {
	if len(a) == 0 {
		return true
	}
	c := a[0]
	fields := e.fields[c.name]
	if len(fields) == 0 {
		return c.absent() && a[1:].match(e, at)
	}
	for _, f := range fields {
		if f.at.fits(at) && c.holds(f.value) && a[1:].match(e, f.at.with(at)) {
			return true
		}
	}
	return false
}

func (c condition) absent() bool {
	for _, t := range c.tests {
		if t.absent {
			return true
		}
	}
	return false
}

func (c condition) holds(v any) bool {
	for _, t := range c.tests {
		if !t.absent && t.holds(v) {
			return true
		}
	}
	return false
}

// MatchJSON is ParsePattern, ParseEvent and Match in one.
func MatchJSON(pattern, event []byte) (bool, error) {
	p, err := ParsePattern(pattern)
	if err != nil {
		return false, err
	}
	e, err := ParseEvent(event)
	if err != nil {
		return false, err
	}
	return p.Match(e), nil
}
