package rows

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// string parses a string from its opening quote on.
func (p *parser) string() (string, *Problem) {
	p.at++
	from := p.at
	p.plain()
	switch c := p.peek(); {
	case p.at == len(p.in):
		return "", p.syntax("a closing quote")
	case c == '"':
		p.at++
		return intern(p.in[from : p.at-1]), nil
	case c == '\\':
		return p.escaped(from)
	}
	return "", p.syntax("control characters to be escaped")
}

// intern gives the string without making one, for those that stand in every row.
func intern(b []byte) string {
	switch string(b) {
	case "messages":
		return "messages"
	case "role":
		return "role"
	case "content":
		return "content"
	case User:
		return User
	case Assistant:
		return Assistant
	case System:
		return System
	case "prompt":
		return "prompt"
	case "completion":
		return "completion"
	}
	return string(b)
}

// special bytes end a run of plain characters in a string.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// plain skips plain characters.
func (p *parser) plain() {
	in := p.in
	at := p.at
	for at < len(in) && !special[in[at]] {
		at++
	}
	p.at = at
}

// escaped parses the rest of a string that has at least one escape.
func (p *parser) escaped(from int) (string, *Problem) {
	out := append(make([]byte, 0, 2*(p.at-from)+64), p.in[from:p.at]...)
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			return string(out), nil
		case c == '\\':
			p.at++
			var bad *Problem
			if out, bad = p.escape(out); bad != nil {
				return "", bad
			}
		default:
			return "", p.syntax("control characters to be escaped")
		}
		run := p.at
		p.plain()
		out = append(out, p.in[run:p.at]...)
	}
	return "", p.syntax("a closing quote")
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape takes the escape after a backslash.
func (p *parser) escape(out []byte) ([]byte, *Problem) {
	c := p.peek()
	if c == 'u' {
		p.at++
		return p.unicode(out)
	}
	if escapes[c] == 0 || p.at >= len(p.in) {
		return out, p.syntax("an escape that JSON has")
	}
	p.at++
	return append(out, escapes[c]), nil
}

func (p *parser) unicode(out []byte) ([]byte, *Problem) {
	r, ok := p.hex4()
	if !ok {
		return out, p.syntax("four hexadecimal digits")
	}
	if r == 0 {
		return out, &Problem{Rule: RuleNUL, Expected: "text without NUL characters", Found: `"\u0000"`}
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), nil
	}
	if p.at+1 < len(p.in) && p.in[p.at] == '\\' && p.in[p.at+1] == 'u' {
		p.at += 2
		low, ok := p.hex4()
		if full := utf16.DecodeRune(r, low); ok && full != utf8.RuneError {
			return utf8.AppendRune(out, full), nil
		}
	}
	return out, &Problem{Rule: RuleUTF8, Expected: "surrogates in pairs", Found: "a lone surrogate escape"}
}

func (p *parser) hex4() (rune, bool) {
	if p.at+4 > len(p.in) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.in[p.at:p.at+4]), 16, 16)
	if err != nil {
		return 0, false
	}
	p.at += 4
	return rune(n), true
}
