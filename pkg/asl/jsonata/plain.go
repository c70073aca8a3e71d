package jsonata

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// Most expressions of a state machine are references such as $states.input.a.b, comparisons, small
// arithmetic, texts put together and objects of these. They are parsed by the reference implementation
// and then answered here, about fifty times faster, whenever the answer is beyond doubt (expr). Everything
// else, errors included, is left to the reference implementation. A random test holds both to each other.

// plan is a template whose expressions can all be answered here. Exactly one of constant, expression and
// items is set.
type plan struct {
	constant   json.RawMessage
	expression expr
	keys       []string // of an object, with items in the same order
	items      []*plan
	isArray    bool
}

// plans caches what is known of templates; nil means "for the reference implementation".
type plans struct {
	mu    sync.Mutex
	known map[string]*plan
	parse func(source string) (tree json.RawMessage, ok bool)
}

const maxPlans = 4096

func (c *plans) of(template json.RawMessage) *plan {
	c.mu.Lock()
	p, ok := c.known[string(template)]
	c.mu.Unlock()
	if ok {
		return p
	}
	p = c.plan(template)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxPlans {
		c.known = map[string]*plan{}
	}
	c.known[string(template)] = p
	return p
}

// plan gives nil when the template needs the reference implementation.
func (c *plans) plan(raw json.RawMessage) *plan {
	switch {
	case len(raw) == 0:
		return nil
	case raw[0] == '"':
		return c.text(raw)
	case raw[0] == '[':
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return nil
		}
		return c.items(&plan{isArray: true}, items)
	case raw[0] == '{':
		return c.object(raw)
	case !canonical(raw):
		return nil
	}
	return &plan{constant: raw}
}

func (c *plans) object(raw json.RawMessage) *plan {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil
	}
	p := &plan{keys: []string{}}
	var values []json.RawMessage
	for d.More() {
		key, err := d.Token()
		var v json.RawMessage
		if err != nil || d.Decode(&v) != nil || !canonical(append(quote(key.(string)), ':')) || slices.Contains(p.keys, key.(string)) {
			return nil
		}
		p.keys = append(p.keys, key.(string))
		values = append(values, v)
	}
	return c.items(p, values)
}

func (c *plans) items(p *plan, values []json.RawMessage) *plan {
	for _, v := range values {
		item := c.plan(v)
		if item == nil {
			return nil
		}
		p.items = append(p.items, item)
	}
	return p
}

func (c *plans) text(raw json.RawMessage) *plan {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil
	}
	if !IsExpression(text) {
		if !canonical(raw) {
			return nil
		}
		return &plan{constant: raw}
	}
	source := Source(text)
	if strings.Contains(source, `\u`) { // may be half a character, which does not survive the way here
		return nil
	}
	tree, ok := c.parse(source)
	if !ok {
		return nil
	}
	e, ok := compile(tree)
	if !ok {
		return nil
	}
	return &plan{expression: e}
}
