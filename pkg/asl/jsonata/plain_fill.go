package jsonata

import (
	"bytes"
	"encoding/json"
)

// fill gives the template's value; ok is false when the reference implementation has to decide.
func (p *plan) fill(bindings []byte) (value json.RawMessage, ok bool) {
	s := &frame{calls: new(int)}
	if json.Unmarshal(bindings, &s.root) != nil {
		return nil, false
	}
	var b bytes.Buffer
	if !p.write(&b, s) {
		return nil, false
	}
	return b.Bytes(), true
}

func (p *plan) write(b *bytes.Buffer, s *frame) bool {
	switch {
	case p.constant != nil:
		b.Write(p.constant)
		return true
	case p.expression != nil:
		v, ok := p.expression.eval(s)
		return ok && v.write(b)
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
		if !it.write(b, s) {
			return false
		}
	}
	b.WriteByte(end)
	return true
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return bytes.TrimRight(b.Bytes(), "\n")
}
