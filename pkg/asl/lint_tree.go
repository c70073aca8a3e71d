package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// tree is a JSON value that keeps the order of keys and notices repeated ones.
type tree struct {
	kind  string // as kindOf
	raw   json.RawMessage
	keys  []string
	vals  map[string]*tree
	items []*tree
}

// maxDefinition is AWS's limit for a definition, maxNesting ours for JSON nesting.
const (
	maxDefinition = 1 << 20
	maxNesting    = 200
)

// parseTree reads a definition or says why it is none, in AWS's words.
func parseTree(definition []byte) (*tree, *Diagnostic) {
	fail := func(code, format string, args ...any) (*tree, *Diagnostic) {
		return nil, &Diagnostic{Severity: SeverityError, Code: code, Message: fmt.Sprintf(format, args...)}
	}
	if len(bytes.TrimSpace(definition)) == 0 {
		return fail(CodeSchema, "Definition must be a valid JSON object")
	}
	if len(definition) > maxDefinition {
		return fail(CodeSchema, "Definition must not exceed %d bytes", maxDefinition)
	}
	d := json.NewDecoder(bytes.NewReader(definition))
	d.UseNumber()
	t, err := readTree(d, 0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the JSON value")
		}
	}
	if err != nil {
		line, column := position(definition, d.InputOffset())
		return fail(CodeJSON, "%v (line %d, column %d)", err, line, column)
	}
	if t.kind != "object" {
		return fail(CodeSchema, "Definition must be a valid JSON object")
	}
	return t, nil
}

// position gives the line and the column of an offset, both from 1.
func position(text []byte, offset int64) (line, column int) {
	before := text[:min(int64(len(text)), offset)]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

func readTree(d *json.Decoder, depth int) (*tree, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nested deeper than %d", maxNesting)
	}
	token, err := d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return readObject(d, depth)
	case json.Delim('['):
		return readArray(d, depth)
	}
	raw := marshal(token)
	return &tree{kind: kindOf(raw), raw: raw}, nil
}

func readObject(d *json.Decoder, depth int) (*tree, error) {
	t := &tree{kind: "object", vals: map[string]*tree{}}
	var members []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("key %v is not a string", key)
		}
		if t.vals[name] != nil {
			return nil, fmt.Errorf("duplicate field '%s'", name)
		}
		v, err := readTree(d, depth+1)
		if err != nil {
			return nil, err
		}
		t.keys, t.vals[name] = append(t.keys, name), v
		members = append(members, member{name, v.raw})
	}
	t.raw = object(members...)
	_, err := d.Token()
	return t, err
}

func readArray(d *json.Decoder, depth int) (*tree, error) {
	t := &tree{kind: "array"}
	var raws []json.RawMessage
	for d.More() {
		v, err := readTree(d, depth+1)
		if err != nil {
			return nil, err
		}
		t.items = append(t.items, v)
		raws = append(raws, v.raw)
	}
	t.raw = array(raws)
	_, err := d.Token()
	return t, err
}

// get gives a member, nil when it is missing or t is not an object.
func (t *tree) get(key string) *tree {
	if t == nil {
		return nil
	}
	return t.vals[key]
}

// is tells whether the value is written exactly so.
func (t *tree) is(raw string) bool { return t != nil && string(t.raw) == raw }

func (t *tree) has(key string) bool { return t.get(key) != nil }

// str gives a string's value, "" for anything else.
func (t *tree) str() string {
	if t == nil || t.kind != "string" {
		return ""
	}
	var s string
	_ = json.Unmarshal(t.raw, &s)
	return s
}

func (t *tree) text(key string) string { return t.get(key).str() }

func (t *tree) missing(keys ...string) []string {
	var out []string
	for _, k := range keys {
		if !t.has(k) {
			out = append(out, k)
		}
	}
	return out
}

// list writes names as AWS does: [A, B].
func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }
