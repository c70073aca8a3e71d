package gate

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// cursor walks over a line.
type cursor struct {
	b       []byte
	at      int
	scratch []byte // holds the text read last, if it had escapes
}

func (c *cursor) spaces() {
	for c.at < len(c.b) && (c.b[c.at] == ' ' || c.b[c.at] == '\t') {
		c.at++
	}
}

func (c *cursor) eat(want byte) bool {
	c.spaces()
	if c.at < len(c.b) && c.b[c.at] == want {
		c.at++
		return true
	}
	return false
}

// peek is the next byte, 0 at the end.
func (c *cursor) peek() byte {
	if c.at < len(c.b) {
		return c.b[c.at]
	}
	return 0
}

// text reads a string; the bytes are the line's own, or hold until the next text when it has escapes.
func (c *cursor) text() ([]byte, bool) {
	if !c.eat('"') {
		return nil, false
	}
	start, escaped := c.at, false
	for {
		for c.at < len(c.b) && plain[c.b[c.at]] {
			c.at++
		}
		switch c.peek() {
		case '"':
			c.at++
			return c.unescape(c.b[start:c.at-1], escaped)
		case '\\':
			escaped = true
			c.at += 2
		default:
			return nil, false
		}
	}
}

// plain are the bytes that a string holds as they are.
var plain = func() (out [256]bool) {
	for b := range out {
		out[b] = b >= ' ' && b != '"' && b != '\\'
	}
	return out
}()

// simpleEscapes are those of one letter.
var simpleEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape resolves escapes as encoding/json does; false for one that JSON does not have.
func (c *cursor) unescape(text []byte, escaped bool) ([]byte, bool) {
	if !escaped {
		return text, true
	}
	out := c.scratch[:0]
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			c.scratch = append(out, text...)
			return c.scratch, true
		}
		out = append(out, text[:at]...)
		var used int
		if out, used = appendEscape(out, text[at:]); used == 0 {
			return nil, false
		}
		text = text[at+used:]
	}
}

// appendEscape appends what the escape at the start of text stands for; used is 0 for none that JSON has. The text ends
// in no lone backslash, or its quote were escaped.
func appendEscape(out, text []byte) (_ []byte, used int) {
	if letter := simpleEscapes[text[1]]; letter != 0 {
		return append(out, letter), 2
	}
	first, ok := unit(text)
	if !ok {
		return out, 0
	}
	if !utf16.IsSurrogate(first) {
		return utf8.AppendRune(out, first), unitSize
	}
	if second, ok := unit(text[unitSize:]); ok {
		if both := utf16.DecodeRune(first, second); both != utf8.RuneError {
			return utf8.AppendRune(out, both), 2 * unitSize
		}
	}
	return utf8.AppendRune(out, utf8.RuneError), unitSize // a lone half
}

// unitSize is the length of \uXXXX.
const unitSize = 6

// unit reads one UTF-16 unit written as \uXXXX.
func unit(text []byte) (rune, bool) {
	if len(text) < unitSize || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, b := range text[2:unitSize] {
		digit := hexDigits[b]
		if digit == 0 {
			return 0, false
		}
		r = r<<4 | rune(digit-1)
	}
	return r, true
}

// hexDigits are the values of hexadecimal digits, plus one.
var hexDigits = func() (out [256]byte) {
	for i, digit := range "0123456789abcdef" {
		out[digit], out[unicode.ToUpper(digit)] = byte(i+1), byte(i+1)
	}
	return out
}()

func (c *cursor) word(word string) bool {
	ok := bytes.HasPrefix(c.b[c.at:], []byte(word))
	c.at += len(word)
	return ok
}

// number reads a JSON number.
func (c *cursor) number() (float64, bool) {
	start := c.at
	for c.at < len(c.b) && isNumberByte(c.b[c.at]) {
		c.at++
	}
	text := c.b[start:c.at]
	if x, ok := shortDecimal(text); ok {
		return x, true
	}
	if !json.Valid(text) {
		return 0, false
	}
	x, err := strconv.ParseFloat(string(text), 64)
	return x, err == nil
}

func isNumberByte(b byte) bool {
	return (b >= '0' && b <= '9') || b == '.' || b == '-' || b == '+' || b == 'e' || b == 'E'
}

var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// shortDecimal reads digits with at most one point among them. Up to 15 digits, both the digits as a whole number
// and the power of ten are exact, so that one division rounds as strconv does (Clinger 1990).
func shortDecimal(text []byte) (float64, bool) {
	if len(text) == 0 || len(text) > 15 || (text[0] == '0' && len(text) > 1 && text[1] != '.') {
		return 0, false
	}
	whole, fraction, pointed := bytes.Cut(text, []byte("."))
	if pointed && (len(whole) == 0 || len(fraction) == 0) {
		return 0, false
	}
	n, ok := digits(0, whole)
	n, okToo := digits(n, fraction)
	return float64(n) / powersOfTen[len(fraction)], ok && okToo
}

// digits appends the digits of text to a whole number.
func digits(n int64, text []byte) (int64, bool) {
	for _, b := range text {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = 10*n + int64(b-'0')
	}
	return n, true
}
