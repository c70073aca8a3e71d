package rules

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// What AWS takes for an address; anything else is an ordinary text.
var addressForm = regexp.MustCompile(`^([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$`)

func address(s string) (netip.Addr, bool) {
	if !addressForm.MatchString(s) {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

// textOrAddress compares a text; one that is an IP address equals every spelling of that address.
func textOrAddress(want string) test {
	a, ok := address(want)
	if !ok {
		return literal(value{isString, want})
	}
	return onText(func(s string) bool {
		b, ok := address(s)
		return ok && a == b
	})
}

// cidr reads a network; the test holds for addresses inside it. AWS reports a wrong type in the words of
// prefix, and a malformed network without a place.
func (c *compiler) cidr() (test, error) {
	text, err := c.textOf("prefix")
	if err != nil {
		return test{}, err
	}
	network, err := parseNetwork(text)
	if err != nil {
		return test{}, err
	}
	return c.end(onText(func(s string) bool {
		a, ok := address(s)
		return ok && network.Contains(a)
	}), oneKey)
}

func parseNetwork(text string) (netip.Prefix, error) {
	parts := strings.Split(strings.TrimRight(text, "/"), "/")
	if len(parts) != 2 {
		return netip.Prefix{}, invalid("Malformed CIDR, one '/' required")
	}
	bits, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil {
		return netip.Prefix{}, invalid("Malformed CIDR, mask bits must be an integer")
	}
	if bits < 0 {
		return netip.Prefix{}, invalid("Malformed CIDR, mask bits must not be negative")
	}
	a, ok := address(parts[0])
	switch {
	case !ok && addressForm.MatchString(parts[0]):
		return netip.Prefix{}, invalid("Invalid IP address: %s", parts[0])
	case !ok:
		return netip.Prefix{}, invalid("Nonstandard IP address: %s", parts[0])
	case a.Is4() && bits > 31:
		return netip.Prefix{}, invalid("IPv4 mask bits must be < 32")
	case bits > 127:
		return netip.Prefix{}, invalid("IPv6 mask bits must be < 128")
	}
	return netip.PrefixFrom(a, int(bits)).Masked(), nil
}
