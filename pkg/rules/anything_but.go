package rules

import (
	"errors"
	"strings"
)

const tooManyElements = "Too many elements in numeric expression"

// anythingBut reads a scalar, a list, or one of the operators equals-ignore-case, prefix, suffix and
// wildcard with a text or a list of texts. It holds for every existing value that none of them matches.
func (c *compiler) anythingBut() (test, error) {
	each, nested := c.butScalar, false
	if c.next() == '{' {
		var err error
		if each, err = c.butOperator(); err != nil {
			return test{}, err
		}
		nested = true
		c.next()
	}
	none, err := c.butNone(each, nested)
	if err != nil {
		return test{}, err
	}
	t, err := c.end(but(none), tooManyElements)
	if err != nil || !nested {
		return t, err
	}
	return c.end(t, tooManyElements)
}

func but(none []test) test {
	t := test{holds: func(v value) bool {
		for _, n := range none {
			if n.holds(v) {
				return false
			}
		}
		return true
	}}
	for _, n := range none {
		t.wild = append(t.wild, n.wild...)
	}
	return t
}

// butNone reads the value or the list of values.
func (c *compiler) butNone(each func() (test, error), nested bool) ([]test, error) {
	switch {
	case c.kind == '[' && nested:
		return c.butList(each)
	case c.kind == '[':
		return c.butScalars()
	case c.kind != isString && c.kind != isNumber:
		return nil, c.fail("Value of anything-but must be an array or single string/number value.")
	}
	t, err := each()
	if err != nil {
		return nil, err
	}
	return c.butWildcards([]test{t})
}

// butList reads a list of an operator's texts. AWS names the place twice in its errors.
func (c *compiler) butList(each func() (test, error)) ([]test, error) {
	var none []test
	for c.next() != ']' {
		t, err := each()
		if err != nil {
			return nil, c.twice(err)
		}
		none = append(none, t)
	}
	return c.butWildcards(none)
}

// butWildcards parses the wildcards of a list, which AWS does when it has read them all.
func (c *compiler) butWildcards(none []test) ([]test, error) {
	for i, t := range none {
		if t.text == nil {
			continue
		}
		w, err := c.parseWildcard(*t.text)
		if err != nil {
			return nil, err
		}
		none[i] = w.test()
	}
	return none, nil
}

func (c *compiler) twice(err error) error {
	var p *PatternError
	if errors.As(err, &p) {
		return &PatternError{Reason: p.Reason, Place: p.Place + "\n at " + c.at(c.pos)}
	}
	return err
}

// butScalars reads a list of texts or of numbers.
func (c *compiler) butScalars() ([]test, error) {
	var none []test
	kinds := map[kind]bool{}
	for c.next() != ']' {
		if c.kind != isString && c.kind != isNumber {
			return nil, c.twice(c.fail("Inside anything but list, start|null|boolean is not supported."))
		}
		kinds[c.kind] = true
		t, err := c.butScalar()
		if err != nil {
			return nil, c.twice(err)
		}
		none = append(none, t)
	}
	if len(kinds) != 1 {
		return nil, c.fail("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return none, nil
}

func (c *compiler) butScalar() (test, error) {
	if c.kind == isString {
		return literal(value{isString, c.string()}), c.err
	}
	if _, ok := comparable(c.text); !ok {
		return test{}, invalid("Cannot compare number : %s", c.text)
	}
	return literal(value{isNumber, c.text}), nil
}

// butOperator gives the function that reads one text of the operator.
func (c *compiler) butOperator() (func() (test, error), error) {
	if c.next() != isField {
		return nil, c.fail("Anything-But expression name not found")
	}
	switch c.text {
	case "equals-ignore-case":
		return func() (test, error) {
			s, err := c.butText("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
			return sameFolded(s), err
		}, nil
	case "prefix":
		return c.butAffix(strings.HasPrefix), nil
	case "suffix":
		return c.butAffix(strings.HasSuffix), nil
	case "wildcard":
		return c.butWildcard, nil
	}
	return nil, c.fail("Unsupported anything-but pattern: %s", c.text)
}

func (c *compiler) butText(complaint string) (string, error) {
	if c.kind != isString {
		return "", c.fail("%s", complaint)
	}
	return c.string(), c.err
}

func (c *compiler) butAffix(has func(s, part string) bool) func() (test, error) {
	return func() (test, error) {
		part, err := c.butText("prefix/suffix match pattern must be a string")
		if err == nil && part == "" {
			err = c.fail("Null prefix/suffix not allowed")
		}
		return onText(func(s string) bool { return has(s, part) }), err
	}
}

func (c *compiler) butWildcard() (test, error) {
	text, err := c.butText("wildcard match pattern must be a string")
	return test{text: &text}, err
}
