package rules

import (
	"strings"
)

// value is a leaf of an event or a literal of a pattern: a text, or the spelling of a number or a literal.
type value struct {
	kind kind
	text string
}

// test is one entry of a field's list. An absent test holds for fields that do not exist, and only for those.
type test struct {
	absent bool
	holds  func(v value) bool
	wild   []wildcard // the wildcards in it, for their complexity
	text   *string    // a wildcard that is still to be parsed
}

func literal(want value) test { return test{holds: want.same} }

// same compares numbers by value when both have one, everything else as it is written.
func (v value) same(w value) bool {
	if v.kind != w.kind {
		return false
	}
	return v.text == w.text || v.kind == isNumber && sameNumber(v.text, w.text)
}

// onText makes a test that only texts can pass.
func onText(f func(string) bool) test {
	return test{holds: func(v value) bool { return v.kind == isString && f(v.text) }}
}

const oneKey = "Only one key allowed in match expression"

// operator reads a match expression up to its closing brace.
func (c *compiler) operator() (test, error) {
	if c.next() != isField {
		return test{}, c.fail("Match expression name not found")
	}
	read, ok := map[string]func(*compiler) (test, error){
		"exactly": (*compiler).exactly, "prefix": (*compiler).prefix, "suffix": (*compiler).suffix, "numeric": (*compiler).numeric,
		"anything-but": (*compiler).anythingBut, "exists": (*compiler).exists, "cidr": (*compiler).cidr,
		"equals-ignore-case": (*compiler).ignoreCase, "wildcard": (*compiler).wildcard,
	}[c.text]
	if !ok {
		return test{}, c.fail("Unrecognized match type %s", c.text)
	}
	return read(c)
}

// end takes the closing brace of an expression.
func (c *compiler) end(t test, complaint string) (test, error) {
	if c.next() != '}' {
		return test{}, c.fail("%s", complaint)
	}
	return t, nil
}

// textOf reads the text of the next token.
func (c *compiler) textOf(operator string) (string, error) {
	if c.next() != isString {
		return "", c.fail("%s match pattern must be a string", operator)
	}
	return c.string(), c.err
}

func (c *compiler) exactly() (test, error) {
	want, err := c.textOf("exact")
	if err != nil {
		return test{}, err
	}
	return c.end(literal(value{isString, want}), oneKey)
}

func (c *compiler) ignoreCase() (test, error) {
	want, err := c.textOf("equals-ignore-case")
	if err != nil {
		return test{}, err
	}
	return c.end(sameFolded(want), oneKey)
}

func sameFolded(want string) test {
	want = fold(want)
	return onText(func(s string) bool { return fold(s) == want })
}

// fold makes texts comparable without regard to case.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

func (c *compiler) prefix() (test, error) { return c.affix("prefix", "Prefix", strings.HasPrefix) }

func (c *compiler) suffix() (test, error) { return c.affix("suffix", "Suffix", strings.HasSuffix) }

// affix reads prefix and suffix, plain or with equals-ignore-case inside.
func (c *compiler) affix(name, title string, has func(s, part string) bool) (test, error) {
	switch c.next() {
	case '{':
		return c.foldedAffix(name, title, has)
	case isString:
		part := c.string()
		return c.end(onText(func(s string) bool { return has(s, part) }), oneKey)
	}
	return test{}, c.fail("%s match pattern must be a string", name)
}

func (c *compiler) foldedAffix(name, title string, has func(s, part string) bool) (test, error) {
	if c.next() != isField {
		return test{}, c.fail("%s expression name not found", title)
	}
	if c.text != "equals-ignore-case" {
		return test{}, c.fail("Unsupported %s pattern: %s", name, c.text)
	}
	part, err := c.textOf("equals-ignore-case")
	if err != nil {
		return test{}, err
	}
	part = fold(part)
	t, err := c.end(onText(func(s string) bool { return has(fold(s), part) }), oneKey)
	if err != nil {
		return test{}, err
	}
	return c.end(t, oneKey)
}

func (c *compiler) exists() (test, error) {
	if c.next() != isLiteral || c.text == "null" {
		return test{}, c.fail("exists match pattern must be either true or false.")
	}
	want := c.text == "true"
	return c.end(test{absent: !want, holds: func(value) bool { return want }}, oneKey)
}

func (c *compiler) wildcard() (test, error) {
	text, err := c.textOf("wildcard")
	if err != nil {
		return test{}, err
	}
	w, err := c.parseWildcard(text)
	if err != nil {
		return test{}, err
	}
	return c.end(w.test(), oneKey)
}

func (w wildcard) test() test {
	t := onText(w.match)
	t.wild = []wildcard{w}
	return t
}
