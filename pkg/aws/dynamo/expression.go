package dynamo

import (
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/table"
)

// expression is a condition with its names and values. Names are always aliased.
type expression struct {
	text   string
	names  map[string]string
	values attributes
}

func newExpression() *expression {
	return &expression{names: map[string]string{}, values: attributes{}}
}

func (e *expression) name(attr string) string {
	alias := fmt.Sprintf("#a%d", len(e.names))
	for known, name := range e.names {
		if name == attr {
			return known
		}
	}
	e.names[alias] = attr
	return alias
}

func (e *expression) number(n int64) string {
	alias := fmt.Sprintf(":v%d", len(e.values))
	e.values[alias] = number(n)
	return alias
}

// and adds a condition that must hold too.
func (e *expression) and(cond string) {
	if e.text != "" {
		e.text += " AND "
	}
	e.text += cond
}

// absent holds for an item that is not there or has expired.
func (e *expression) absent(now time.Time) string {
	return fmt.Sprintf("(attribute_not_exists(%s) OR %s <= %s)", e.name(attrPK), e.name(attrTTL), e.number(now.Unix()))
}

// fresh holds for an item that has not expired, or is not there.
func (e *expression) fresh(now time.Time) string {
	ttl := e.name(attrTTL)
	return fmt.Sprintf("(attribute_not_exists(%s) OR %s > %s)", ttl, ttl, e.number(now.Unix()))
}

func (e *expression) exists() string { return fmt.Sprintf("attribute_exists(%s)", e.name(attrPK)) }

var comparisons = map[table.CondKind]string{table.RevEq: "=", table.NumEq: "=", table.NumLT: "<", table.NumGE: ">="}

// require adds the condition of an operation.
func (e *expression) require(c table.Cond, now time.Time) {
	switch c.Kind {
	case table.Always:
	case table.NotExists:
		e.and(e.absent(now))
	case table.Exists:
		e.and(e.exists() + " AND " + e.fresh(now))
	default:
		attr := counterHead + c.Name
		if c.Kind == table.RevEq {
			attr = attrRev
		}
		e.and(fmt.Sprintf("%s %s %s AND %s", e.name(attr), comparisons[c.Kind], e.number(c.Val), e.fresh(now)))
	}
}
