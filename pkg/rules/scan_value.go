package rules

import (
	"strconv"
	"strings"
	"unicode"
)

const (
	validValues   = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	expectedValue = "expected a valid value " + validValues
	comment       = "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"
)

// value reads a number or a literal, or passes the first character of anything else.
func (s *scanner) value(c rune) (kind, string) {
	switch {
	case c == '"':
		s.pos++
		s.lazy = true
		return isString, ""
	case c == '{' || c == '[':
		s.stack = append(s.stack, scope{open: c, start: s.pos})
		s.pos++
		return kind(c), ""
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case identifierStart(c):
		return s.literal()
	}
	return s.unexpected(c, noValue(c)), ""
}

func noValue(c rune) string {
	switch c {
	case '}':
		return "expected a value"
	case '/':
		return comment
	}
	return expectedValue
}

func identifierStart(c rune) bool { return unicode.IsLetter(c) || c == '_' || c == '$' }

func (s *scanner) literal() (kind, string) {
	from := s.pos
	for s.pos < len(s.source.text) && (identifierStart(s.source.text[s.pos]) || unicode.IsDigit(s.source.text[s.pos])) {
		s.pos++
	}
	switch word := string(s.source.text[from:s.pos]); word {
	case "true", "false", "null":
		return isLiteral, word
	case "NaN":
		return s.stop(s.pos, "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"), ""
	default:
		return s.stop(s.pos, "Unrecognized token '%s': was expecting %s", word, validValues), ""
	}
}

// number reads digits, fraction and exponent.
func (s *scanner) number() (kind, string) {
	from := s.pos
	if s.source.text[s.pos] == '-' {
		s.pos++
		if !s.digits() {
			return s.badNumber(s.pos, "expected digit (0-9) to follow minus sign, for valid numeric value"), ""
		}
	} else {
		s.digits()
	}
	whole := strings.TrimPrefix(string(s.source.text[from:s.pos]), "-")
	if len(whole) > 1 && whole[0] == '0' {
		return s.stop(from+len(string(s.source.text[from:s.pos]))-len(whole)+1, "Invalid numeric value: Leading zeroes not allowed"), ""
	}
	if s.peek('.') && !s.digitsAfter() {
		return s.badNumber(s.pos-1, "Decimal point not followed by a digit"), ""
	}
	if !s.exponent() {
		return s.badNumber(s.pos-1, "Exponent indicator not followed by a digit"), ""
	}
	return isNumber, string(s.source.text[from:s.pos])
}

// exponent passes an exponent if there is one; false when it has no digits.
func (s *scanner) exponent() bool {
	if !s.peek('e') && !s.peek('E') {
		return true
	}
	if s.pos++; s.peek('+') || s.peek('-') {
		s.pos++
	}
	return s.digits()
}

func (s *scanner) badNumber(at int, what string) kind {
	if s.pos >= len(s.source.text) {
		return s.stop(s.pos, "Unexpected end-of-input within/between %s entries", s.container())
	}
	return s.stop(at, "Unexpected character (%s) in numeric value: %s", describe(s.source.text[s.pos]), what)
}

func (s *scanner) peek(c rune) bool { return s.pos < len(s.source.text) && s.source.text[s.pos] == c }

// digits passes digits and tells whether there were any.
func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.source.text) && s.source.text[s.pos] >= '0' && s.source.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > from
}

func (s *scanner) digitsAfter() bool {
	s.pos++
	return s.digits()
}

// string gives the text of the present string.
func (s *scanner) string() string {
	text, _ := s.readString("Unexpected end-of-input: was expecting closing quote for a string value", "string value")
	return text
}

func (s *scanner) skipString() bool {
	_, ok := s.readString("Unexpected end-of-input: was expecting closing quote for a string value", "string value")
	return ok
}

// readString reads to the closing quote.
func (s *scanner) readString(atEnd, what string) (string, bool) {
	s.lazy = false
	var b strings.Builder
	for s.pos < len(s.source.text) {
		c := s.source.text[s.pos]
		s.pos++
		switch {
		case c == '"':
			return joinSurrogates(b.String()), true
		case c == '\\':
			if !s.escape(&b) {
				return "", false
			}
		case c < ' ':
			s.stop(s.pos-1, "Illegal unquoted character (%s): has to be escaped using backslash to be included in %s", describe(c), what)
			return "", false
		default:
			b.WriteRune(c)
		}
	}
	s.stop(s.pos, "%s", atEnd)
	return "", false
}

var escapes = map[rune]rune{'b': '\b', 't': '\t', 'n': '\n', 'f': '\f', 'r': '\r', '"': '"', '/': '/', '\\': '\\'}

// escape reads what follows a backslash; surrogates stay escaped until the whole text is known.
func (s *scanner) escape(b *strings.Builder) bool {
	if s.pos >= len(s.source.text) {
		s.stop(s.pos, "Unexpected end-of-input in character escape sequence")
		return false
	}
	c := s.source.text[s.pos]
	s.pos++
	if plain, ok := escapes[c]; ok {
		b.WriteRune(plain)
		return true
	}
	if c != 'u' {
		s.stop(s.pos-1, "Unrecognized character escape %s", describe(c))
		return false
	}
	return s.hex(b)
}

func (s *scanner) hex(b *strings.Builder) bool {
	var unit uint16
	for range 4 {
		if s.pos >= len(s.source.text) {
			s.stop(s.pos, "Unexpected end-of-input in character escape sequence")
			return false
		}
		digit, err := strconv.ParseUint(string(s.source.text[s.pos]), 16, 8)
		if err != nil {
			s.stop(s.pos, "Unexpected character (%s): expected a hex-digit for character escape sequence", describe(s.source.text[s.pos]))
			return false
		}
		s.pos++
		unit = unit<<4 | uint16(digit)
	}
	writeUnit(b, unit)
	return true
}
