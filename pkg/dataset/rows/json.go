package rows

import "strconv"

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
