package jsonata

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	c := compareWith(m[2], m[3])
	if c.kind != 'n' && c.op != "=" && c.op != "!=" {
		return nil
	}
	return planPath(m[1], c)
}

func compareWith(op, literal string) *compare {
	switch {
	case literal == "true" || literal == "false":
		return &compare{op: op, kind: 'b', text: literal}
	case literal[0] == '\'' || literal[0] == '"':
		return &compare{op: op, kind: 's', text: literal[1 : len(literal)-1]}
	}
	n, _ := strconv.ParseFloat(literal, 64) // the pattern admits nothing else
	return &compare{op: op, kind: 'n', number: n}
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
