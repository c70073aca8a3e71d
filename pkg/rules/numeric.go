package rules

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
)

// sameNumber compares by value: 1, 1.0 and 1e0 are the same.
func sameNumber(a, b json.Number) bool {
	x, okX := rational(a)
	y, okY := rational(b)
	return okX && okY && x.Cmp(y) == 0
}

// rational reads a number exactly; absurd exponents are refused, since they would need absurd memory.
func rational(n json.Number) (*big.Rat, bool) {
	if i := strings.IndexAny(n.String(), "eE"); i >= 0 {
		if e, err := strconv.Atoi(n.String()[i+1:]); err != nil || e > 400 || e < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(n.String())
}

type bound struct {
	op    string
	limit *big.Rat
}

func (b bound) holds(x *big.Rat) bool {
	c := x.Cmp(b.limit)
	switch b.op {
	case "=":
		return c == 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// parseNumeric reads ["=", n], one bound or a lower and an upper bound.
func parseNumeric(arg any) (test, error) {
	items, ok := arg.([]any)
	if !ok {
		return test{}, invalid("Value of numeric must be an array.")
	}
	if len(items) == 0 {
		return test{}, invalid("Invalid member in numeric match: ]")
	}
	first, err := parseBound(items)
	if err != nil {
		return test{}, err
	}
	bounds := []bound{first}
	if rest := items[2:]; len(rest) > 0 {
		second, err := secondBound(first, rest)
		if err != nil {
			return test{}, err
		}
		bounds = append(bounds, second)
	}
	return test{holds: func(v any) bool {
		n, ok := v.(json.Number)
		if !ok {
			return false
		}
		x, ok := rational(n)
		for _, b := range bounds {
			ok = ok && b.holds(x)
		}
		return ok
	}}, nil
}

func parseBound(items []any) (bound, error) {
	op, ok := items[0].(string)
	if !ok {
		return bound{}, invalid("Invalid member in numeric match: %v", items[0])
	}
	switch op {
	case "=", "<", "<=", ">", ">=":
	default:
		return bound{}, invalid("Unrecognized numeric range operator: %s", op)
	}
	word := op
	if op == "=" {
		word = "equals"
	}
	if len(items) < 2 {
		return bound{}, invalid("Value of %s must be numeric", word)
	}
	n, ok := items[1].(json.Number)
	if !ok {
		return bound{}, invalid("Value of %s must be numeric", word)
	}
	limit, ok := rational(n)
	if !ok {
		return bound{}, invalid("Value of %s must be numeric", word)
	}
	return bound{op, limit}, nil
}

// secondBound reads the upper bound; only a lower bound can have one.
func secondBound(first bound, rest []any) (bound, error) {
	op, ok := rest[0].(string)
	switch {
	case first.op == "=" || first.op[0] == '<':
		return bound{}, invalid("Too many elements in numeric expression")
	case !ok:
		return bound{}, invalid("Invalid member in numeric match: %v", rest[0])
	case op != "<" && op != "<=":
		return bound{}, invalid("Bad numeric range operator: %s", op)
	}
	second, err := parseBound(rest)
	switch {
	case err != nil:
		return bound{}, err
	case len(rest) > 2:
		return bound{}, invalid("Too many terms in numeric range")
	case second.limit.Cmp(first.limit) <= 0:
		return bound{}, invalid("Bottom must be less than top")
	}
	return second, nil
}

// parseCIDR reads a network; the test holds for addresses inside it. AWS reports a wrong type in the
// words of prefix.
func parseCIDR(arg any) (test, error) {
	text, ok := arg.(string)
	if !ok {
		return test{}, invalid("prefix match pattern must be a string")
	}
	ip, bits, found := strings.Cut(text, "/")
	if !found || strings.Contains(bits, "/") {
		return test{}, invalid("Malformed CIDR, one '/' required")
	}
	n, err := strconv.Atoi(bits)
	if err != nil {
		return test{}, invalid("Malformed CIDR, mask bits must be an integer")
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return test{}, invalid("Nonstandard IP address: %s", ip)
	}
	if n < 0 || n > addr.BitLen() {
		return test{}, invalid("Malformed CIDR, mask bits must be between 0 and %d", addr.BitLen())
	}
	network := netip.PrefixFrom(addr, n).Masked()
	return onText(func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && network.Contains(a)
	}), nil
}
