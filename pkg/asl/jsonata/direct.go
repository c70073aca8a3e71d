package jsonata

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

// An expr is a part of an expression that is answered here instead of by the reference implementation.
// eval's ok is false wherever the answer is not beyond doubt: a missing field, another type than
// expected, a number that is not finite. The whole template is then left to the reference.
type expr interface {
	eval(s *frame) (v value, ok bool)
}

// value is a JSON value: a number 'n', a text 's', a truth value 'b', null 'z', or an array or object 'j'
// as canonical JSON.
type value struct {
	kind   byte
	number float64
	text   string
	truth  bool
	raw    json.RawMessage
	made   bool // raw was written here, so it is as JSON.stringify writes it
}

// frame holds variables: the bindings at the outside, a block's own inside.
type frame struct {
	outer *frame
	vars  map[string]value
	root  map[string]json.RawMessage
	calls *int // of functions so far, in the whole template
}

// get finds a variable.
func (s *frame) get(name string) (value, bool) {
	for at := s; at != nil; at = at.outer {
		if v, ok := at.vars[name]; ok {
			return v, true
		}
		if raw, ok := at.root[name]; ok {
			return valueOf(raw)
		}
	}
	return value{}, false
}

// has tells whether there is a variable, whatever its value.
func (s *frame) has(name string) bool {
	for at := s; at != nil; at = at.outer {
		if _, ok := at.vars[name]; ok || at.root[name] != nil {
			return true
		}
	}
	return false
}

func valueOf(raw json.RawMessage) (v value, ok bool) {
	if len(raw) == 0 {
		return v, false
	}
	switch raw[0] {
	case '{', '[':
		return value{kind: 'j', raw: raw}, true // checked when it is written
	case '"':
		ok = canonical(raw) && json.Unmarshal(raw, &v.text) == nil
		v.kind = 's'
	case 't', 'f':
		v, ok = value{kind: 'b', truth: raw[0] == 't'}, true
	case 'n':
		v, ok = value{kind: 'z'}, true
	default:
		n, err := strconv.ParseFloat(string(raw), 64)
		v, ok = value{kind: 'n', number: n}, err == nil
	}
	return v, ok
}

func truth(b bool) (value, bool) { return value{kind: 'b', truth: b}, true }
func number(n float64) (value, bool) {
	return value{kind: 'n', number: n}, !math.IsInf(n, 0) && !math.IsNaN(n)
}
func text(s string) (value, bool) { return value{kind: 's', text: s}, true }

// maxDirect bounds what is put together here, in bytes; the reference implementation, which is watched,
// does what is larger.
const maxDirect = 1 << 20

// write writes the value as JSON.stringify does.
func (v value) write(b *bytes.Buffer) bool {
	switch v.kind {
	case 'n':
		s, ok := formatNumber(v.number)
		b.WriteString(s)
		return ok
	case 's':
		q := quote(v.text)
		b.Write(q)
		return canonical(q)
	case 'b':
		b.WriteString(strconv.FormatBool(v.truth))
	case 'z':
		b.WriteString("null")
	default:
		b.Write(v.raw)
		return v.made || canonical(v.raw)
	}
	return true
}

// formatNumber writes a number as JavaScript does where it needs no exponent.
func formatNumber(n float64) (string, bool) {
	if n == 0 {
		return "0", true // minus zero too
	}
	if size := math.Abs(n); size < 1e-6 || size >= 1e21 {
		return "", false
	}
	return strconv.FormatFloat(n, 'f', -1, 64), true
}

// string is $string of a scalar: numbers to 15 digits.
func (v value) string() (string, bool) {
	switch v.kind {
	case 's':
		return v.text, true
	case 'b':
		return strconv.FormatBool(v.truth), true
	case 'n':
		short, err := strconv.ParseFloat(strconv.FormatFloat(v.number, 'g', 15, 64), 64)
		s, ok := formatNumber(short)
		return s, ok && err == nil
	}
	return "", false
}

// items are the elements of an array.
func (v value) items() (items []json.RawMessage, ok bool) {
	if v.kind != 'j' || v.raw[0] != '[' {
		return nil, false
	}
	return items, json.Unmarshal(v.raw, &items) == nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// constant is a literal.
type constant struct{ value }

func (c constant) eval(*frame) (value, bool) { return c.value, true }

// variable is $name.
type variable string

func (v variable) eval(s *frame) (value, bool) { return s.get(string(v)) }

// step is ".name" with at most one constant index behind it.
type step struct {
	name  string
	index *int
}

// path is a variable with steps that each find one thing.
type path struct {
	from  expr
	steps []step
}

func (p path) eval(s *frame) (value, bool) {
	v, ok := p.from.eval(s)
	for _, st := range p.steps {
		if !ok || v.kind != 'j' {
			return value{}, false
		}
		v, ok = st.follow(v.raw)
	}
	return v, ok
}

func (st step) follow(doc json.RawMessage) (value, bool) {
	var o map[string]json.RawMessage
	if doc[0] != '{' || json.Unmarshal(doc, &o) != nil {
		return value{}, false
	}
	raw, ok := o[st.name]
	if !ok || st.index == nil {
		v, known := valueOf(raw)
		return v, ok && known
	}
	return at(raw, *st.index)
}

// at gives an element of an array; a negative index counts from the end.
func at(raw json.RawMessage, i int) (value, bool) {
	items, ok := value{kind: 'j', raw: raw}.items()
	if i < 0 {
		i += len(items)
	}
	if !ok || i < 0 || i >= len(items) || items[i][0] == '[' {
		return value{}, false
	}
	return valueOf(items[i])
}

// block is ( …; … ) with its own variables.
type block []expr

func (b block) eval(s *frame) (v value, ok bool) {
	inner := &frame{outer: s, vars: map[string]value{}, calls: s.calls}
	for _, e := range b {
		if v, ok = e.eval(inner); !ok {
			return v, false
		}
	}
	return v, ok
}

// bind is $name := value.
type bind struct {
	name string
	to   expr
}

func (b bind) eval(s *frame) (value, bool) {
	v, ok := b.to.eval(s)
	if !ok || s.vars == nil {
		return v, false
	}
	s.vars[b.name] = v
	return v, true
}

// choose is condition ? then : otherwise.
type choose struct{ condition, then, otherwise expr }

func (c choose) eval(s *frame) (value, bool) {
	v, ok := c.condition.eval(s)
	if !ok || v.kind != 'b' {
		return value{}, false
	}
	if v.truth {
		return c.then.eval(s)
	}
	return c.otherwise.eval(s)
}

// list is [ … ]; an array in it would be joined to it unless it is written there as one.
type list []expr

func (l list) eval(s *frame) (value, bool) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, e := range l {
		v, ok := e.eval(s)
		_, written := e.(list)
		if !ok || v.kind == 'j' && v.raw[0] == '[' && !written {
			return value{}, false
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if !v.write(&b) || b.Len() > maxDirect {
			return value{}, false
		}
	}
	b.WriteByte(']')
	return value{kind: 'j', raw: b.Bytes(), made: true}, true
}

// record is { "key": value, … } with constant keys.
type record struct {
	keys   []string
	values []expr
}

func (r record) eval(s *frame) (value, bool) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range r.values {
		v, ok := e.eval(s)
		if !ok {
			return value{}, false
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quote(r.keys[i]))
		b.WriteByte(':')
		if !v.write(&b) || b.Len() > maxDirect {
			return value{}, false
		}
	}
	b.WriteByte('}')
	return value{kind: 'j', raw: b.Bytes(), made: true}, true
}
