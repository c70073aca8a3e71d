package rows

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// kind of a JSON value.
type kind byte

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// value is a parsed JSON value.
type value struct {
	kind    kind
	str     string // strings only
	items   []value
	members []member
	names   map[string]struct{} // of the members, once there are many
}

type member struct {
	name  string
	value value
}

// get gives a member of an object, or nil.
func (v *value) get(name string) *value {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

// parser is a strict JSON parser (RFC 8259). What encoding/json forgives is refused here: names that
// stand twice, lone surrogates, NUL, numbers beyond float64, and depth.
type parser struct {
	in    []byte
	at    int
	depth int
	most  int
}

// parseJSON parses a line that is valid UTF-8 as exactly one value.
func parseJSON(line []byte, maxDepth int) (value, *Problem) {
	p := parser{in: line, most: maxDepth}
	p.space()
	v, bad := p.value()
	if bad != nil {
		return v, bad
	}
	if p.space(); p.at < len(p.in) {
		return v, p.syntax("the end of the line")
	}
	return v, nil
}

func (p *parser) syntax(expected string) *Problem {
	rest := p.in[min(p.at, len(p.in)):]
	what := "the end of the line"
	if len(rest) > 0 {
		what = found(rest[:min(len(rest), 20)])
	}
	return &Problem{Rule: RuleSyntax, Expected: expected, Found: what + " at column " + strconv.Itoa(p.at+1)}
}

func (p *parser) space() {
	for p.at < len(p.in) && (p.in[p.at] == ' ' || p.in[p.at] == '\t' || p.in[p.at] == '\r' || p.in[p.at] == '\n') {
		p.at++
	}
}

func (p *parser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

func (p *parser) value() (v value, bad *Problem) {
	switch c := p.peek(); {
	case c == '{':
		v, bad = p.nested(kindObject)
	case c == '[':
		v, bad = p.nested(kindArray)
	case c == '"':
		v.kind = kindString
		v.str, bad = p.string()
	case c == '-' || c >= '0' && c <= '9':
		v, bad = p.number()
	default:
		v, bad = p.literal()
	}
	return v, bad
}

func (p *parser) literal() (value, *Problem) {
	for i, word := range [...]string{"null", "true", "false"} {
		if len(p.in)-p.at >= len(word) && string(p.in[p.at:p.at+len(word)]) == word {
			p.at += len(word)
			return value{kind: kind(min(i, 1))}, nil // kindNull, kindBool
		}
	}
	return value{}, p.syntax("a JSON value")
}

// nested parses an object or an array, one level deeper.
func (p *parser) nested(k kind) (value, *Problem) {
	v := value{kind: k}
	if k == kindObject {
		v.members = make([]member, 0, 2)
	} else {
		v.items = make([]value, 0, 2)
	}
	if p.depth++; p.depth > p.most {
		return v, &Problem{Rule: RuleDepth, Expected: "at most " + strconv.Itoa(p.most) + " levels of nesting", Found: "more"}
	}
	closing := byte(']')
	if k == kindObject {
		closing = '}'
	}
	p.at++
	if p.space(); p.peek() == closing {
		p.at++
		p.depth--
		return v, nil
	}
	for {
		if bad := p.element(&v); bad != nil {
			return v, bad
		}
		p.space()
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case closing:
			p.at++
			p.depth--
			return v, nil
		default:
			return v, p.syntax("a comma or " + string(closing))
		}
	}
}

func (p *parser) element(v *value) *Problem {
	if v.kind == kindArray {
		item, bad := p.value()
		v.items = append(v.items, item)
		return bad
	}
	return p.member(v)
}

func (p *parser) member(v *value) *Problem {
	if p.peek() != '"' {
		return p.syntax("a field name in double quotes")
	}
	name, bad := p.string()
	if bad != nil {
		return bad
	}
	if v.has(name) {
		return &Problem{Rule: RuleDuplicateKey, Pointer: "/" + name, Expected: "each field once", Found: strconv.Quote(name) + " again"}
	}
	if p.space(); p.peek() != ':' {
		return p.syntax("a colon")
	}
	p.at++
	p.space()
	item, bad := p.value()
	v.add(name, item)
	return bad
}

// fewMembers is up to where a linear search beats a map.
const fewMembers = 16

func (v *value) has(name string) bool {
	if v.names == nil {
		return v.get(name) != nil
	}
	_, ok := v.names[name]
	return ok
}

func (v *value) add(name string, item value) {
	v.members = append(v.members, member{name, item})
	if v.names != nil {
		v.names[name] = struct{}{}
	} else if len(v.members) > fewMembers {
		v.names = make(map[string]struct{}, 4*fewMembers)
		for _, m := range v.members {
			v.names[m.name] = struct{}{}
		}
	}
}

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

// number parses a number by the grammar of RFC 8259 §6.
func (p *parser) number() (value, *Problem) {
	from := p.at
	if p.peek() == '-' {
		p.at++
	}
	if p.peek() == '0' {
		p.at++
	} else if !p.digits() {
		return value{}, p.syntax("a digit")
	}
	if p.peek() == '.' {
		if p.at++; !p.digits() {
			return value{}, p.syntax("a digit")
		}
	}
	if !p.exponent() {
		return value{}, p.syntax("a digit")
	}
	if _, err := strconv.ParseFloat(string(p.in[from:p.at]), 64); err != nil {
		return value{}, &Problem{Rule: RuleNumber, Expected: "a number of at most 1.8e308", Found: found(p.in[from:p.at])}
	}
	return value{kind: kindNumber}, nil
}

func (p *parser) exponent() bool {
	if c := p.peek(); c != 'e' && c != 'E' {
		return true
	}
	p.at++
	if c := p.peek(); c == '+' || c == '-' {
		p.at++
	}
	return p.digits()
}

func (p *parser) digits() bool {
	from := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > from
}
