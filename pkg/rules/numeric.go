package rules

import (
	"math/big"
	"strconv"
	"strings"
)

// comparable gives a number's value when it can be compared: one that a 64-bit float holds without loss
// of the digits written. Others are compared by their spelling only, as AWS does with account numbers.
func comparable(text string) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || short(text) {
		return f, err == nil
	}
	exact, ok := rational(text)
	if !ok {
		return 0, false
	}
	shortest, ok := rational(strconv.FormatFloat(f, 'g', -1, 64))
	return f, ok && exact.Cmp(shortest) == 0
}

// short tells whether a number has so few digits that a float surely holds it without loss.
func short(text string) bool {
	digits := 0
	for _, c := range []byte(text) {
		if c == 'e' || c == 'E' {
			return false
		}
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return digits <= 15
}

// rational reads a number exactly; absurd exponents are refused, since they would need absurd memory.
func rational(text string) (*big.Rat, bool) {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if e, err := strconv.Atoi(text[i+1:]); err != nil || e > 2000 || e < -2000 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}

// sameNumber compares by value: 1, 1.0 and 1e0 are the same.
func sameNumber(a, b string) bool {
	x, okX := comparable(a)
	y, okY := comparable(b)
	return okX && okY && x == y
}

type bound struct {
	op    string
	limit float64
}

func (b bound) holds(x float64) bool {
	switch b.op {
	case "=":
		return x == b.limit
	case "<":
		return x < b.limit
	case "<=":
		return x <= b.limit
	case ">":
		return x > b.limit
	}
	return x >= b.limit
}

// numeric reads ["=", n], one bound or a lower and an upper bound.
func (c *compiler) numeric() (test, error) {
	if c.next() != '[' {
		return test{}, c.fail("Value of numeric must be an array.")
	}
	bounds, err := c.bounds()
	if err != nil {
		return test{}, err
	}
	return c.end(test{holds: func(v value) bool {
		if v.kind != isNumber {
			return false
		}
		x, ok := comparable(v.text)
		for _, b := range bounds {
			ok = ok && b.holds(x)
		}
		return ok
	}}, tooManyElements)
}

func (c *compiler) bounds() ([]bound, error) {
	if c.next() != isString {
		return nil, c.fail("Invalid member in numeric match: %s", c.spelling())
	}
	first, spelled, err := c.bound(c.string())
	switch {
	case err != nil:
		return nil, err
	case c.next() == ']':
		return []bound{first}, c.check(spelled)
	case first.op == "=" || first.op[0] == '<':
		return nil, c.fail(tooManyElements)
	}
	second, top, err := c.upper()
	if err != nil {
		return nil, err
	}
	if err := c.check(spelled); err != nil {
		return nil, err
	}
	if err := c.check(top); err != nil {
		return nil, err
	}
	if second.limit <= first.limit {
		return nil, c.fail("Bottom must be less than top")
	}
	return []bound{first, second}, nil
}

// spelling is the present token as it is written.
func (c *compiler) spelling() string {
	switch c.kind {
	case isNumber, isLiteral:
		return c.text
	case isEnd, isField, isString:
		return ""
	}
	return string(c.kind)
}

// bound reads the number that follows an operator.
func (c *compiler) bound(op string) (bound, string, error) {
	kind := c.next()
	switch op {
	case "=", "<", "<=", ">", ">=":
	default:
		return bound{}, "", c.fail("Unrecognized numeric range operator: %s", op)
	}
	if kind != isNumber {
		if op == "=" {
			op = "equals"
		}
		return bound{}, "", c.fail("Value of %s must be numeric", op)
	}
	x, _ := strconv.ParseFloat(c.text, 64)
	return bound{op, x}, c.text, nil
}

// check refuses a limit that cannot be compared.
func (c *compiler) check(spelled string) error {
	if _, ok := comparable(spelled); !ok {
		return c.fail("Cannot compare number : %s", spelled)
	}
	return nil
}

// upper reads the upper bound; only a lower bound can have one.
func (c *compiler) upper() (bound, string, error) {
	if c.kind != isString {
		return bound{}, "", c.fail("Bad value in numeric range: %s", c.spelling())
	}
	op := c.string()
	if op != "<" && op != "<=" {
		return bound{}, "", c.fail("Bad numeric range operator: %s", op)
	}
	second, spelled, err := c.bound(op)
	if err == nil && c.next() != ']' {
		err = c.fail("Too many terms in numeric range expression")
	}
	return second, spelled, err
}
