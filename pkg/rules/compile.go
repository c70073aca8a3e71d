package rules

import (
	"maps"
	"slices"
)

// branch is a conjunction under construction: tests by field name. A name that comes twice counts once,
// the last time.
type branch map[string][]test

// compiler turns tokens into branches, in the order of the text.
type compiler struct {
	*scanner
	or       bool // "$or" is a choice
	branches []branch
}

func compile(text string, or bool) (Pattern, error) {
	c := &compiler{scanner: newScanner(text), or: or}
	if c.next() != '{' {
		return Pattern{}, c.fail("Filter is not an object")
	}
	if err := c.object("", false); err != nil {
		return Pattern{}, err
	}
	if err := c.rest(); err != nil {
		return Pattern{}, err
	}
	if tooComplex(c.branches) {
		return Pattern{}, invalid("%s", complexRule)
	}
	var p Pattern
	for _, b := range c.branches {
		p.alternatives = append(p.alternatives, b.alternative())
	}
	return p, nil
}

// rest refuses what follows the pattern.
func (c *compiler) rest() error {
	if c.next() != isEnd {
		return c.fail("Unexpected content after the pattern")
	}
	return c.err
}

func (b branch) alternative() alternative {
	var a alternative
	for _, name := range slices.Sorted(maps.Keys(b)) {
		a = append(a, condition{name, b[name]})
	}
	return a
}

// object reads members up to the closing brace. Inside a choice the names of operators are reserved.
func (c *compiler) object(prefix string, choice bool) error {
	some := false
	for c.next() == isField {
		some = true
		if err := c.member(prefix, c.text, choice); err != nil {
			return err
		}
	}
	if c.err != nil {
		return c.err
	}
	if !some {
		return c.fail("Empty objects are not allowed")
	}
	return nil
}

func (c *compiler) member(prefix, name string, choice bool) error {
	if name == "$or" && c.or {
		return c.choice(prefix)
	}
	if choice && reserved[name] {
		return c.fail("%s is Ruler reserved fieldName which cannot be used inside $or.", name)
	}
	path := name
	if prefix != "" {
		path = prefix + "." + name
	}
	switch c.next() {
	case '{':
		return c.object(path, choice)
	case '[':
		return c.field(path)
	}
	return c.fail("\"%s\" must be an object or an array", name)
}

// field reads the tests of a field and adds them to every branch.
func (c *compiler) field(path string) error {
	var tests []test
	for c.next() != ']' {
		t, err := c.entry()
		if err != nil {
			return err
		}
		tests = append(tests, t)
	}
	if len(tests) == 0 {
		return c.fail("Empty arrays are not allowed")
	}
	if len(c.branches) == 0 {
		c.branches = []branch{{}}
	}
	for _, b := range c.branches {
		b[path] = tests
	}
	return nil
}

func (c *compiler) entry() (test, error) {
	switch c.kind {
	case '{':
		return c.operator()
	case isString:
		text := c.string()
		return textOrAddress(text), c.err
	case isNumber, isLiteral:
		return literal(value{c.kind, c.text}), nil
	}
	return test{}, c.fail("Match value must be String, number, true, false, or null")
}

// reserved are the names that a choice may not use for fields.
var reserved = map[string]bool{
	"exactly": true, "equals-ignore-case": true, "prefix": true, "suffix": true, "anything-but": true, "exists": true, "wildcard": true,
	"numeric": true, "cidr": true, "=": true, "<": true, "<=": true, ">": true, ">=": true, "regex": true, "not-wildcard": true,
	"not-equals-ignore-case": true, "date-after": true, "date-on-or-after": true, "date-before": true, "date-on-or-before": true,
	"in-date-range": true, "ip-address-in-range": true, "ip-address-not-in-range": true,
}

// choice reads "$or": every branch so far goes on once with each of the objects.
func (c *compiler) choice(prefix string) error {
	before := c.branches
	if c.next() != '[' {
		return c.fail("It must be an Array followed with $or.")
	}
	var all []branch
	n := 0
	for c.next() != ']' {
		n++
		if c.kind != '{' {
			return c.fail("Only JSON object is allowed in array of $or relationship.")
		}
		c.branches = copies(before)
		if err := c.object(prefix, true); err != nil {
			return err
		}
		if all = append(all, c.branches...); len(all) > maxAlternatives {
			return invalid("Too many alternatives: $or expands to more than %d", maxAlternatives)
		}
	}
	if n < 2 {
		return c.fail("There must have at least 2 Objects in $or relationship.")
	}
	c.branches = all
	return nil
}

func copies(branches []branch) []branch {
	if len(branches) == 0 {
		return []branch{{}}
	}
	out := make([]branch, len(branches))
	for i, b := range branches {
		out[i] = maps.Clone(b)
	}
	return out
}
