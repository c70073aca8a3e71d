package jsonata

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// fill gives the template's value; ok is false when the reference implementation has to decide.
func (p *plan) fill(bindings []byte) (value json.RawMessage, ok bool) {
	var b bytes.Buffer
	if !p.write(&b, bindings) {
		return nil, false
	}
	return b.Bytes(), true
}

func (p *plan) write(b *bytes.Buffer, bindings []byte) bool {
	switch {
	case p.constant != nil:
		b.Write(p.constant)
		return true
	case p.path != nil:
		return p.writeValue(b, bindings)
	}
	open, end := byte('{'), byte('}')
	if p.isArray {
		open, end = '[', ']'
	}
	b.WriteByte(open)
	for i, it := range p.items {
		if i > 0 {
			b.WriteByte(',')
		}
		if !p.isArray {
			b.Write(quote(p.keys[i]))
			b.WriteByte(':')
		}
		if !it.write(b, bindings) {
			return false
		}
	}
	b.WriteByte(end)
	return true
}

func (p *plan) writeValue(b *bytes.Buffer, bindings []byte) bool {
	v, ok := lookup(bindings, p.path)
	if !ok {
		return false
	}
	if p.compare != nil {
		holds, ok := p.compare.holds(v)
		b.WriteString(strconv.FormatBool(holds))
		return ok
	}
	b.Write(v)
	return canonical(v)
}

// lookup follows a path through objects.
func lookup(doc json.RawMessage, path []string) (json.RawMessage, bool) {
	for _, step := range path {
		if len(doc) == 0 || doc[0] != '{' {
			return nil, false
		}
		var o map[string]json.RawMessage
		if json.Unmarshal(doc, &o) != nil {
			return nil, false
		}
		v, ok := o[step]
		if !ok {
			return nil, false
		}
		doc = v
	}
	return doc, true
}

func (c *compare) holds(v json.RawMessage) (holds, ok bool) {
	switch {
	case c.kind == 'n' && (v[0] == '-' || v[0] >= '0' && v[0] <= '9'):
		n, err := strconv.ParseFloat(string(v), 64)
		return compareNumbers(n, c.op, c.number), err == nil
	case c.kind == 's' && v[0] == '"':
		var s string
		err := json.Unmarshal(v, &s)
		return (s == c.text) == (c.op == "="), err == nil
	case c.kind == 'b' && (v[0] == 't' || v[0] == 'f'):
		return (string(v) == c.text) == (c.op == "="), true
	}
	return false, false
}

func compareNumbers(a float64, op string, b float64) bool {
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return bytes.TrimRight(b.Bytes(), "\n")
}
