package jsonata

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Most expressions of a state machine are references such as $states.input.a.b, or compare one with a
// constant. These are answered here, about a hundred times faster, whenever the answer is beyond doubt:
// every step finds an object, and the value is written as JSON.stringify would write it. Everything
// else, errors included, is left to the reference implementation.

var (
	reference  = regexp.MustCompile(`^\$[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)
	comparison = regexp.MustCompile(`^(\$[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*(=|!=|<=|>=|<|>)\s*(-?\d{1,15}(?:\.\d{1,6})?|'[^'"\\]*'|"[^'"\\]*"|true|false)$`)
	keywords   = []string{"and", "or", "in", "true", "false", "null", "function"}
)

// plan is a template whose expressions are all plain. Exactly one of its parts is set.
type plan struct {
	constant json.RawMessage
	path     []string
	compare  *compare
	keys     []string // of an object, with items in the same order
	items    []*plan
	isArray  bool
}

// compare is a reference beside a constant.
type compare struct {
	op     string
	number float64
	text   string
	kind   byte // 'n', 's' or 'b'
}

// plans caches what is known of templates; nil means "not plain".
type plans struct {
	mu    sync.Mutex
	known map[string]*plan
}

const maxPlans = 4096

func (c *plans) of(template json.RawMessage) *plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.known[string(template)]; ok {
		return p
	}
	if c.known == nil || len(c.known) >= maxPlans {
		c.known = map[string]*plan{}
	}
	p := planOf(template)
	c.known[string(template)] = p
	return p
}

// planOf gives nil when the template needs the reference implementation.
func planOf(raw json.RawMessage) *plan {
	switch {
	case len(raw) == 0 || !canonical(raw):
		return nil
	case raw[0] == '"':
		return planText(raw)
	case raw[0] == '[':
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return nil
		}
		return planItems(&plan{isArray: true}, items)
	case raw[0] == '{':
		return planObject(raw)
	}
	return &plan{constant: raw}
}

func planObject(raw json.RawMessage) *plan {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil
	}
	p := &plan{keys: []string{}}
	var values []json.RawMessage
	for d.More() {
		key, err := d.Token()
		var v json.RawMessage
		if err != nil || d.Decode(&v) != nil {
			return nil
		}
		p.keys = append(p.keys, key.(string))
		values = append(values, v)
	}
	return planItems(p, values)
}

func planItems(p *plan, values []json.RawMessage) *plan {
	for _, v := range values {
		item := planOf(v)
		if item == nil {
			return nil
		}
		p.items = append(p.items, item)
	}
	return p
}

func planText(raw json.RawMessage) *plan {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil
	}
	if !IsExpression(text) {
		return &plan{constant: raw}
	}
	source := Source(text)
	if reference.MatchString(source) {
		return planPath(source, nil)
	}
	m := comparison.FindStringSubmatch(source)
	if m == nil {
		return nil
	}
	c := &compare{op: m[2], kind: 'n'}
	switch literal := m[3]; {
	case literal == "true" || literal == "false":
		c.kind, c.text = 'b', literal
	case literal[0] == '\'' || literal[0] == '"':
		c.kind, c.text = 's', literal[1:len(literal)-1]
	default:
		c.number, _ = strconv.ParseFloat(literal, 64)
	}
	if c.kind != 'n' && c.op != "=" && c.op != "!=" {
		return nil
	}
	return planPath(m[1], c)
}

func planPath(source string, c *compare) *plan {
	path := strings.Split(source[1:], ".")
	for _, step := range path {
		if slices.Contains(keywords, step) {
			return nil
		}
	}
	return &plan{path: path, compare: c}
}

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

var (
	plainInteger = regexp.MustCompile(`^(0|-?[1-9]\d{0,14})$`)
	digits       = regexp.MustCompile(`^\d+$`)
)

// canonical tells whether a JSON text is surely what JSON.stringify makes of it: no spaces, only short
// integers, only the short escapes, no keys that JavaScript would reorder.
func canonical(raw []byte) bool {
	if !utf8.Valid(raw) {
		return false
	}
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '"':
			end, ok := canonicalString(raw, i)
			if !ok {
				return false
			}
			if end < len(raw) && raw[end] == ':' && (digits.Match(raw[i+1:end-1]) || string(raw[i+1:end-1]) == "__proto__") {
				return false
			}
			i = end
		case c == '-' || c >= '0' && c <= '9':
			end := i
			for end < len(raw) && bytes.IndexByte([]byte("+-.eE0123456789"), raw[end]) >= 0 {
				end++
			}
			if !plainInteger.Match(raw[i:end]) {
				return false
			}
			i = end
		case c <= ' ':
			return false
		default:
			i++
		}
	}
	return true
}

// canonicalString checks the string that starts at i and gives the index after it.
func canonicalString(raw []byte, i int) (end int, ok bool) {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			return i + 1, true
		case '\\':
			if i++; i >= len(raw) || bytes.IndexByte([]byte(`"\bfnrt`), raw[i]) < 0 {
				return 0, false
			}
		}
	}
	return 0, false
}
