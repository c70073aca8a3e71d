// Package rules decides what events and times mean: EventBridge event patterns with AWS's validation
// errors, and schedules (cron, rate, at) in time zones.
//
// Patterns follow the open-source event ruler that EventBridge runs: an event is flattened into named
// leaves, a pattern into alternatives of named conditions, and fields of one match must lie in the same
// elements of arrays of objects. A pattern is read token by token, so that the first fault is reported,
// with AWS's words and AWS's place.
package rules

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Pattern is a parsed event pattern.
type Pattern struct{ alternatives []alternative }

// maxAlternatives is AWS's limit for what $or may expand to.
const maxAlternatives = 1000

// maxPattern is AWS's limit for the size of a pattern, in characters.
const maxPattern = 4096

// PatternError is AWS's answer to a pattern that it refuses (InvalidEventPatternException).
type PatternError struct {
	Reason string // one line
	Place  string // empty, or on further lines: the pattern, the line and the column
}

// Error gives AWS's message.
func (e *PatternError) Error() string {
	return "Event pattern is not valid. Reason: " + e.Reason + e.Place
}

func invalid(format string, args ...any) error {
	return &PatternError{Reason: fmt.Sprintf(format, args...)}
}

// ParsePattern reads and checks a pattern. A member "$or" that cannot be a choice is an ordinary field of
// that name when the pattern is valid so.
func ParsePattern(raw []byte) (Pattern, error) {
	if n := utf8.RuneCount(raw); n > maxPattern {
		return Pattern{}, invalid("Pattern is too long: %d characters, at most %d are allowed", n, maxPattern)
	}
	text := string(raw)
	p, err := compile(text, true)
	if err != nil && strings.Contains(text, `"$or"`) {
		if plain, ordinary := compile(text, false); ordinary == nil {
			p, err = plain, nil
		}
	}
	if err != nil {
		return Pattern{}, err
	}
	return p, nil
}

// Match tells whether an event matches.
func (p Pattern) Match(e Event) bool {
	for _, a := range p.alternatives {
		if a.match(e) {
			return true
		}
	}
	return false
}

// MatchJSON is ParsePattern, ParseEvent and Match in one.
func MatchJSON(pattern, event []byte) (bool, error) {
	p, err := ParsePattern(pattern)
	if err != nil {
		return false, err
	}
	e, err := ParseEvent(event)
	if err != nil {
		return false, err
	}
	return p.Match(e), nil
}
