package asl

import (
	"maps"
	"slices"
)

// assigned are the variables known when a state is entered.
type assigned struct {
	always      map[string]bool // on every path
	maybe       map[string]bool // on some path
	surrounding map[string]bool // of outer scopes
}

// outer gives what an inner scope sees as belonging to outer scopes.
func (a assigned) outer() map[string]bool {
	out := maps.Clone(a.maybe)
	if out == nil {
		out = map[string]bool{}
	}
	maps.Copy(out, a.surrounding)
	return out
}

// edge is a transition with the variables it assigns.
type edge struct {
	to  string
	set []string
}

// edges lists a state's transitions: a catcher's assignments are its own, all others get the state's.
func edges(st *tree) []edge {
	own := keysOf(st.get("Assign"))
	var out []edge
	if next := st.text("Next"); next != "" {
		out = append(out, edge{next, own})
	}
	if def := st.text("Default"); def != "" {
		out = append(out, edge{def, own})
	}
	for _, field := range []string{"Choices", "Catch"} {
		if rules := st.get(field); rules != nil {
			for _, r := range rules.items {
				if next := r.text("Next"); next != "" {
					out = append(out, edge{next, keysOf(r.get("Assign"))})
				}
			}
		}
	}
	return out
}

func keysOf(t *tree) []string {
	if t == nil {
		return nil
	}
	return t.keys
}

// flow computes, for every state of a scope, what is assigned when it is entered: a forward analysis to
// the fixed point, intersection over paths for always, union for maybe.
func (l *linter) flow(start string, states *tree, outer map[string]bool) map[string]assigned {
	in := map[string]assigned{start: {always: maps.Clone(outer), maybe: maps.Clone(outer), surrounding: outer}}
	work := []string{start}
	for len(work) > 0 {
		name := work[0]
		work = work[1:]
		for _, e := range edges(states.get(name)) {
			if states.has(e.to) && join(in, e, in[name]) && !slices.Contains(work, e.to) {
				work = append(work, e.to)
			}
		}
	}
	return in
}

// join merges what an edge brings into its target and tells whether that changed anything.
func join(in map[string]assigned, e edge, from assigned) bool {
	always, maybe := maps.Clone(from.always), maps.Clone(from.maybe)
	for _, v := range e.set {
		always[v], maybe[v] = true, true
	}
	old, known := in[e.to]
	if !known {
		in[e.to] = assigned{always, maybe, from.surrounding}
		return true
	}
	changed := false
	for v := range old.always {
		if !always[v] {
			delete(old.always, v)
			changed = true
		}
	}
	for v := range maybe {
		if !old.maybe[v] {
			old.maybe[v] = true
			changed = true
		}
	}
	return changed
}

// transitions checks that all targets exist, all states are reachable and some end is reachable.
func (l *linter) transitions(o, states *tree, at string) {
	start := o.text("StartAt")
	if !states.has(start) {
		l.add(SeverityError, CodeTarget, at+"/StartAt", "Missing 'Next' target: %s", start)
		return
	}
	reached, ends := reachable(start, states)
	for _, name := range states.keys {
		here := at + "/States/" + name
		for _, e := range edges(states.get(name)) {
			if !states.has(e.to) {
				l.add(SeverityError, CodeTarget, here, "Missing 'Next' target: %s", e.to)
			}
		}
		if !reached[name] {
			l.add(SeverityError, CodeTarget, here, "State \"%s\" is not reachable.", name)
		}
	}
	if !ends {
		l.add(SeverityError, CodeEnd, at+"/States", "No end state is reachable.")
	}
}

// reachable gives the states that some path leads to, and whether one of them ends the scope.
func reachable(start string, states *tree) (reached map[string]bool, ends bool) {
	reached = map[string]bool{start: true}
	for work := []string{start}; len(work) > 0; {
		st := states.get(work[0])
		work = work[1:]
		ends = ends || isEnd(st)
		for _, e := range edges(st) {
			if states.has(e.to) && !reached[e.to] {
				reached[e.to] = true
				work = append(work, e.to)
			}
		}
	}
	return reached, ends
}

func isEnd(st *tree) bool {
	kind := st.text("Type")
	return kind == "Succeed" || kind == "Fail" || st.get("End").is("true")
}
