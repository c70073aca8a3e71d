package jsonata

import (
	"bytes"
	"regexp"
	"unicode/utf8"
)

var (
	plainInteger = regexp.MustCompile(`^(0|-?[1-9]\d{0,14})$`)
	digits       = regexp.MustCompile(`^\d+$`)
)

// canonical tells whether a JSON text is surely what JSON.stringify makes of it: no spaces, only short
// integers, only the short escapes, no keys that JavaScript would reorder.
func canonical(raw []byte) bool {
	if !utf8.Valid(raw) {
		return false
	}
	for i := 0; i < len(raw); {
		ok := true
		switch c := raw[i]; {
		case c == '"':
			i, ok = canonicalString(raw, i)
		case isNumeric(c):
			i, ok = canonicalNumber(raw, i)
		default:
			ok = c > ' '
			i++
		}
		if !ok {
			return false
		}
	}
	return true
}

func isNumeric(c byte) bool {
	return bytes.IndexByte([]byte("+-.eE0123456789"), c) >= 0 && c != 'e' && c != 'E'
}

// canonicalNumber checks the number that starts at i and gives the index after it.
func canonicalNumber(raw []byte, i int) (end int, ok bool) {
	end = i
	for end < len(raw) && (isNumeric(raw[end]) || raw[end]|' ' == 'e') {
		end++
	}
	return end, plainInteger.Match(raw[i:end])
}

// canonicalString checks the string at start and gives the index after it.
func canonicalString(raw []byte, start int) (end int, ok bool) {
	for i := start + 1; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			return i + 1, !isKey(raw, i+1) || !reordered(raw[start+1:i])
		case '\\':
			if i++; i >= len(raw) || bytes.IndexByte([]byte(`"\bfnrt`), raw[i]) < 0 {
				return 0, false
			}
		}
	}
	return 0, false
}

func isKey(raw []byte, end int) bool { return end < len(raw) && raw[end] == ':' }

func reordered(key []byte) bool { return digits.Match(key) || string(key) == "__proto__" }
