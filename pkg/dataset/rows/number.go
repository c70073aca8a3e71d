package rows

const (
	mostDigits = 20 // more than any card (19) or phone number (15) has
	mostGroups = 8
)

// candidate is a run of digit groups with separators between them.
type candidate struct {
	plus   bool
	digits [mostDigits]byte // as 0–9
	groups int              // in all
	n      [mostGroups]int  // digits up to and with a group
	end    [mostGroups]int  // place behind a group
	sep    [mostGroups]byte // separator before a group
}

// number looks at the run of digits that begins at i and tells what it, or its beginning, is. Without a
// finding it gives the place where to look next.
func number(s string, i int) (from, to int, with string) {
	if inside(s, i) {
		return i, i + 1, ""
	}
	c := read(s, i)
	if c.groups == 0 {
		return i, i + 1, ""
	}
	if to := c.longest(s, c.card); to > 0 {
		return i, to, maskCard
	}
	if to := c.longest(s, c.phone); to > 0 {
		return i, to, maskPhone
	}
	return i, c.end[0], ""
}

// inside tells whether i is in the middle of a word or number.
func inside(s string, i int) bool {
	return i > 0 && wordByte(s[i-1]) || i > 1 && joined(s[i-1]) && digit(s[i-2])
}

// longest gives the end of the longest beginning that is of a kind; 0 when none is.
func (c *candidate) longest(s string, kind func(groups int) bool) (to int) {
	for k := c.groups; k > 0 && c.n[k-1] >= 8; k-- {
		if end := c.end[k-1]; kind(k) && (end == len(s) || !wordByte(s[end])) {
			return end
		}
	}
	return 0
}

func wordByte(c byte) bool { return letter(c) || digit(c) || c == '_' || c >= 0x80 }

// joined separators make one number of what stands around them.
func joined(c byte) bool { return c == '-' || c == '.' || c == '/' }

// read takes groups of digits with single separators, or parentheses, between them.
func read(s string, i int) candidate {
	c := candidate{}
	if s[i] == '+' {
		c.plus = true
		i++
	}
	for c.groups < mostGroups {
		sep, at := separators(s, i, c.groups == 0)
		if at == len(s) || !digit(s[at]) || c.groups > 0 && (at == i || c.n[c.groups-1] >= mostDigits) {
			return c
		}
		i = c.group(s, at, sep)
	}
	return c
}

// separators reads one separator, or two when one is a parenthesis; the first group may only have an
// opening parenthesis before it.
func separators(s string, i int, first bool) (sep byte, at int) {
	at = i
	for at < len(s) && at < i+2 {
		b := s[at]
		paren := b == '(' || !first && b == ')'
		if !paren && (first || b != ' ' && !joined(b) || sep != 0 && sep != ')') {
			return sep, at
		}
		sep = b
		at++
	}
	return sep, at
}

// group takes the digits from at on.
func (c *candidate) group(s string, at int, sep byte) (end int) {
	n := 0
	if c.groups > 0 {
		n = c.n[c.groups-1]
	}
	for ; at < len(s) && digit(s[at]); at++ {
		if n < mostDigits {
			c.digits[n] = s[at] - '0'
		}
		n++
	}
	c.n[c.groups], c.end[c.groups], c.sep[c.groups] = n, at, sep
	c.groups++
	return at
}

// size is the number of digits of a group.
func (c *candidate) size(group int) int {
	if group == 0 {
		return c.n[0]
	}
	return c.n[group] - c.n[group-1]
}

// card tells whether the first k groups are a payment card number: length and first digits of a known
// issuer and check digit (ISO/IEC 7812-1), no separators but spaces and dashes.
func (c *candidate) card(k int) bool {
	n := c.n[k-1]
	if c.plus || n < 13 || n > 19 || !issuer(c.digits, n) {
		return false
	}
	for _, s := range c.sep[1:k] {
		if s != ' ' && s != '-' {
			return false
		}
	}
	return luhn(c.digits[:n])
}

// issuers are the ranges of first digits and lengths in use.
var issuers = []struct{ from, to, shortest, longest int }{
	{22, 27, 16, 16}, {51, 55, 16, 16}, // Mastercard
	{30, 30, 14, 16}, {36, 36, 14, 16}, {38, 38, 14, 16}, // Diners
	{34, 34, 15, 15}, {37, 37, 15, 15}, // American Express
	{35, 35, 16, 16}, // JCB
	{40, 49, 13, 19}, // Visa
	{60, 69, 16, 19}, // Discover, UnionPay, Maestro
}

func issuer(d [mostDigits]byte, n int) bool {
	first := int(d[0])*10 + int(d[1])
	for _, is := range issuers {
		if first >= is.from && first <= is.to && n >= is.shortest && n <= is.longest {
			return true
		}
	}
	return false
}

// luhn checks the check digit of ISO/IEC 7812-1, annex B.
func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		n := int(d)
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// phone tells whether the first k groups are a phone number in one of three forms: international with a
// plus; North American 3-3-4, in groups; national with a leading zero, in groups. Dates and plain numbers
// are none.
func (c *candidate) phone(k int) bool {
	n := c.n[k-1]
	if c.plus {
		return n <= 15 && c.digits[0] != 0
	}
	return k > 1 && (c.northAmerican(k) || c.national(k))
}

func (c *candidate) northAmerican(k int) bool {
	first := 0
	if k == 4 && c.size(0) == 1 && c.digits[0] == 1 {
		first = 1
	}
	return k-first == 3 && c.size(first) == 3 && c.size(first+1) == 3 && c.size(first+2) == 4
}

func (c *candidate) national(k int) bool {
	if c.digits[0] != 0 || c.n[k-1] > 15 || c.size(0) < 2 || c.date(k) {
		return false
	}
	for _, s := range c.sep[1:k] {
		if s == '.' {
			return false
		}
	}
	return true
}

// date tells whether the groups begin as those of dd-mm-yyyy.
func (c *candidate) date(k int) bool {
	return k >= 3 && c.size(0) == 2 && c.size(1) == 2 && c.size(2) == 4
}
