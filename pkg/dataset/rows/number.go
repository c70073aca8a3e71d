package rows

const (
	mostDigits = 20 // more than any card (19) or phone number (15) has
	mostGroups = 8
)

// candidate is a run of digit groups with separators between them.
type candidate struct {
	from   int
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
	if i > 0 && wordByte(s[i-1]) || i > 1 && joined(s[i-1]) && digit(s[i-2]) {
		return i, i + 1, ""
	}
	c := read(s, i)
	if c.groups == 0 {
		return i, i + 1, ""
	}
	for _, is := range [...]struct {
		kind func(int) bool
		with string
	}{{c.card, maskCard}, {c.phone, maskPhone}} {
		for k := c.groups; k > 0 && c.n[k-1] >= 8; k-- {
			if end := c.end[k-1]; is.kind(k) && (end == len(s) || !wordByte(s[end])) {
				return c.from, end, is.with
			}
		}
	}
	return i, c.end[0], ""
}

func wordByte(c byte) bool { return letter(c) || digit(c) || c == '_' || c >= 0x80 }

// joined separators make one number of what stands around them.
func joined(c byte) bool { return c == '-' || c == '.' || c == '/' }

// read takes groups of digits with single separators, or parentheses, between them.
func read(s string, i int) candidate {
	c := candidate{from: i}
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

func issuer(d [mostDigits]byte, n int) bool {
	two := int(d[0])*10 + int(d[1])
	switch {
	case d[0] == 4:
		return n == 13 || n == 16 || n == 19
	case two >= 51 && two <= 55, two >= 22 && two <= 27:
		return n == 16
	case two == 34 || two == 37:
		return n == 15
	case two == 30 || two == 36 || two == 38:
		return n == 14 || n == 16
	}
	return two == 35 && n == 16 || d[0] == 6 && n >= 16
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
