package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// alternative is a conjunction in the order of names: every condition must hold.
type alternative []condition

// condition says that a field must satisfy one of the tests.
type condition struct {
	name  string
	tests []test
}

func (a alternative) match(e Event) bool {
	m := matcher{event: e, all: a}
	return m.from(0, nil)
}

// matcher finds a field for every condition such that all of them fit together.
type matcher struct {
	event Event
	all   alternative
	later []map[int]bool  // for each condition the arrays that it or a later one can lie in
	dead  map[string]bool // what was tried in vain
}

// from tells whether the conditions from the i-th can be met by fields that fit to in.
func (m *matcher) from(i int, in position) bool {
	if i == len(m.all) {
		return true
	}
	id := ""
	if len(in) > 0 {
		if id = m.identity(i, in); m.dead[id] {
			return false
		}
	}
	if m.try(i, in) {
		return true
	}
	if id != "" {
		if m.dead == nil {
			m.dead = map[string]bool{}
		}
		m.dead[id] = true
	}
	return false
}

func (m *matcher) try(i int, in position) bool {
	c, absent := m.all[i], true
	free := false // a field that binds to no further array was tried
	for _, f := range m.event.fields[c.name] {
		joined, ok := in.with(f.in)
		if !ok {
			continue
		}
		absent = false
		if same := len(joined) == len(in); same && free || !c.holds(f.value) {
			continue
		} else if same {
			free = true
		}
		if m.from(i+1, joined) {
			return true
		}
	}
	return absent && c.absent() && m.from(i+1, in)
}

// identity names a situation by what matters to the conditions from the i-th.
func (m *matcher) identity(i int, in position) string {
	if m.later == nil {
		m.later = m.reach()
	}
	var b strings.Builder
	fmt.Fprint(&b, i)
	for _, array := range slices.Sorted(maps.Keys(in)) {
		if m.later[i][array] {
			fmt.Fprintf(&b, ",%d:%d", array, in[array])
		}
	}
	return b.String()
}

func (m *matcher) reach() []map[int]bool {
	out := make([]map[int]bool, len(m.all))
	next := map[int]bool{}
	for i := len(m.all) - 1; i >= 0; i-- {
		next = maps.Clone(next)
		for _, f := range m.event.fields[m.all[i].name] {
			for array := range f.in {
				next[array] = true
			}
		}
		out[i] = next
	}
	return out
}

func (c condition) absent() bool {
	return slices.ContainsFunc(c.tests, func(t test) bool { return t.absent })
}

func (c condition) holds(v value) bool {
	return slices.ContainsFunc(c.tests, func(t test) bool { return !t.absent && t.holds(v) })
}
