package rows

import "strconv"

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
