package rules

import (
	"fmt"
	"unicode"
)

// kind is the sort of a token: the bracket itself, or one of the letters below.
type kind byte

const (
	isEnd     kind = 0   // end of the text, or an error
	isField   kind = 'k' // name of a member
	isString  kind = 's'
	isNumber  kind = 'n'
	isLiteral kind = 'l' // true, false or null
)

// scanner reads the tokens of a pattern one after the other, as AWS's parser does, so that of several
// faults the first is reported, in the same words and at the same place. A text is finished only when it
// is asked for or passed. The first error stays.
type scanner struct {
	source
	pos    int
	kind   kind
	text   string // of a field, a number or a literal
	lazy   bool   // a string has begun and not ended
	after  kind   // the token behind a field's colon, already read
	stack  []scope
	err    error
	stayed string // text of a number or literal read behind a field
}

// scope is an open object or array.
type scope struct {
	open  rune
	start int
	some  bool // it has a member
}

func newScanner(text string) *scanner { return &scanner{source: source{[]rune(text)}} }

// fail makes the error of the place before the next character; an earlier error has precedence.
func (s *scanner) fail(format string, args ...any) error {
	if s.err == nil {
		s.err = s.failAt(s.pos, format, args...)
	}
	return s.err
}

func (s *scanner) failAt(pos int, format string, args ...any) error {
	return &PatternError{Reason: fmt.Sprintf(format, args...), Place: "\n at " + s.at(pos)}
}

// stop records an error and gives the token that ends everything.
func (s *scanner) stop(pos int, format string, args ...any) kind {
	if s.err == nil {
		s.err = s.failAt(pos, format, args...)
	}
	s.kind = isEnd
	return isEnd
}

// unexpected refuses the next character and passes it.
func (s *scanner) unexpected(c rune, complaint string) kind {
	k := s.stop(s.pos, "Unexpected character (%s): %s", describe(c), complaint)
	s.pos++
	return k
}

// next reads a token.
func (s *scanner) next() kind {
	if s.err != nil {
		return isEnd
	}
	if s.kind == isField {
		s.kind, s.text = s.after, s.stayed
		return s.kind
	}
	if s.lazy && !s.skipString() {
		return isEnd
	}
	c, ok := s.skipSpace()
	if !ok {
		return s.ended()
	}
	if c == '}' || c == ']' {
		return s.close(c)
	}
	if c, ok = s.separator(c); !ok {
		return isEnd
	}
	if len(s.stack) > 0 && s.top().open == '{' {
		return s.field(c)
	}
	s.kind, s.text = s.value(c)
	return s.kind
}

func (s *scanner) top() *scope { return &s.stack[len(s.stack)-1] }

// skipSpace gives the next character that is not white space, without passing it.
func (s *scanner) skipSpace() (rune, bool) {
	for ; s.pos < len(s.source.text); s.pos++ {
		switch c := s.source.text[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			if c < ' ' {
				s.stop(s.pos, "Illegal character (%s): only regular white space (\\r, \\n, \\t) is allowed between tokens", describe(c))
				return 0, false
			}
			if c == '/' {
				s.unexpected(c, comment)
			}
			return c, s.err == nil
		}
	}
	return 0, false
}

func (s *scanner) ended() kind {
	if len(s.stack) > 0 {
		return s.stop(s.pos, "Unexpected end-of-input: expected close marker for %s (start marker at %s)", s.container(), s.at(s.top().start))
	}
	s.kind = isEnd
	return isEnd
}

func (s *scanner) container() string {
	switch {
	case len(s.stack) == 0:
		return "root"
	case s.top().open == '{':
		return "Object"
	}
	return "Array"
}

func (s *scanner) close(c rune) kind {
	want := map[rune]rune{'{': '}', '[': ']'}
	if len(s.stack) > 0 && s.top().some && s.source.text[s.lastSolid()] == ',' {
		return s.afterComma(c)
	}
	if len(s.stack) == 0 || want[s.top().open] != c {
		return s.badClose(c, want)
	}
	s.pos++
	s.stack = s.stack[:len(s.stack)-1]
	s.kind = kind(c)
	return s.kind
}

func (s *scanner) badClose(c rune, want map[rune]rune) kind {
	expected, start := '}', 0
	if len(s.stack) > 0 {
		expected, start = want[s.top().open], s.top().start
	} else if c == '}' {
		expected = ']'
	}
	s.pos++
	return s.stop(s.pos-1, "Unexpected close marker '%c': expected '%c' (for %s starting at %s)", c, expected, s.container(), s.at(start))
}

// separator passes the comma between two members.
func (s *scanner) separator(c rune) (rune, bool) {
	if len(s.stack) == 0 {
		return c, true
	}
	if !s.top().some {
		s.top().some = true
		return c, true
	}
	if c != ',' {
		s.unexpected(c, "was expecting comma to separate "+s.container()+" entries")
		return 0, false
	}
	s.pos++
	next, ok := s.skipSpace()
	if !ok {
		s.stop(s.pos, "Unexpected end-of-input within/between %s entries", s.container())
	}
	return next, ok
}

// afterComma reports a bracket where a member should be.
func (s *scanner) afterComma(c rune) kind {
	if s.top().open == '{' {
		return s.unexpected(c, "was expecting double-quote to start field name")
	}
	return s.unexpected(c, expectedValue)
}

// lastSolid is the place of the last character before the present one that is not white space.
func (s *scanner) lastSolid() int {
	i := s.pos - 1
	for i > 0 && unicode.IsSpace(s.source.text[i]) {
		i--
	}
	return max(i, 0)
}

// field reads a name, the colon and the beginning of the value.
func (s *scanner) field(c rune) kind {
	if c != '"' {
		return s.unexpected(c, "was expecting double-quote to start field name")
	}
	s.pos++
	name, ok := s.readString("Unexpected end-of-input in field name", "name")
	if !ok {
		return isEnd
	}
	c, ok = s.skipSpace()
	if ok && c != ':' {
		return s.unexpected(c, "was expecting a colon to separate field name and value")
	}
	if ok {
		s.pos++
		c, ok = s.skipSpace()
	}
	if !ok {
		return s.stop(s.pos, "Unexpected end-of-input within/between Object entries")
	}
	s.after, s.stayed = s.value(c)
	if s.err != nil {
		return isEnd
	}
	s.kind, s.text = isField, name
	return isField
}
