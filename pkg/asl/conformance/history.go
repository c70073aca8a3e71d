package conformance

import (
	"fmt"
	"strings"
)

// Report is the result of comparing one case.
type Report struct {
	Name    string
	Outcome []string // differences in status, output, error or cause
	History []string // differences in the events
}

// Compare holds our history to the recorded one.
func Compare(c Case, ours []map[string]any) Report {
	r := Report{Name: c.Name()}
	if len(ours) == 0 {
		r.Outcome = []string{"no events"}
		return r
	}
	if d := matchEvent(c.Events[len(c.Events)-1], ours[len(ours)-1]); d != "" {
		r.Outcome = append(r.Outcome, d)
	}
	if concurrent(c.Events) {
		ours = normalise(ours)
	}
	r.History = compareHistory(c.Events, ours)
	return r
}

// concurrent tells whether the recording was normalised for Parallel branches: their events have a list as id.
func concurrent(events []map[string]any) bool {
	for _, e := range events {
		if _, ok := e["id"].([]any); ok {
			return true
		}
	}
	return false
}

// normalise does to our history what the recorder did to AWS's: it takes the events between
// ParallelStateStarted and the next end of a Parallel out, marks them as unordered and puts them back,
// at each end anew. The event before ParallelStateExited is lost that way; that is the recorder's doing.
func normalise(events []map[string]any) []map[string]any {
	out := append([]map[string]any(nil), events...)
	start, open := 0, false
	var inside []map[string]any
	for i := 0; i < len(out); i++ {
		switch kind := out[i]["type"]; {
		case parallelEnd[fmt.Sprint(kind)]:
			if start > 0 && start <= i {
				out = append(append(append([]map[string]any(nil), out[:start]...), inside...), out[i:]...)
			}
			open = false
		case kind == "ParallelStateStarted":
			start, open, inside = i+1, true, nil
		case open:
			e := bare(out[i])
			e["id"] = []any{0}
			inside = append(inside, e)
			out[i] = e
		}
	}
	return out
}

var parallelEnd = map[string]bool{
	"ParallelStateSucceeded": true, "ParallelStateAborted": true, "ParallelStateExited": true, "ParallelStateFailed": true,
}

// compareHistory compares event by event; where that fails, events of concurrent branches and items
// are compared as multisets.
func compareHistory(rec, ours []map[string]any) []string {
	if inOrder(rec, ours) == nil {
		return nil
	}
	a, b := segments(rec), segments(ours)
	if len(a) != len(b) {
		return inOrder(rec, ours)
	}
	var out []string
	for i := range a {
		out = append(out, multiset(a[i], b[i])...)
	}
	return out
}

func inOrder(rec, ours []map[string]any) []string {
	var out []string
	for i := range max(len(rec), len(ours)) {
		switch {
		case i >= len(ours):
			out = append(out, fmt.Sprintf("event %d: recorded %v, ours missing", i+1, rec[i]["type"]))
		case i >= len(rec):
			out = append(out, fmt.Sprintf("event %d: ours %v is not recorded", i+1, ours[i]["type"]))
		default:
			if d := matchEvent(rec[i], ours[i]); d != "" {
				out = append(out, fmt.Sprintf("event %d: %s", i+1, d))
			}
		}
	}
	return out
}

// segments splits a history into single events and, per outermost Parallel or Map, one unordered group.
func segments(events []map[string]any) [][]map[string]any {
	var out [][]map[string]any
	depth := 0
	for _, e := range events {
		kind := fmt.Sprint(e["type"])
		if depth > 0 {
			out[len(out)-1] = append(out[len(out)-1], e)
		} else {
			out = append(out, []map[string]any{e})
		}
		switch {
		case strings.HasSuffix(kind, "StateEntered") && isScope(kind):
			depth++
		case strings.HasSuffix(kind, "StateExited") && isScope(kind):
			depth = max(0, depth-1)
		case strings.HasPrefix(kind, "Execution"):
			depth = 0
		}
	}
	return out
}

func isScope(kind string) bool {
	return strings.HasPrefix(kind, "Parallel") || strings.HasPrefix(kind, "Map")
}

// multiset matches two groups regardless of order.
func multiset(rec, ours []map[string]any) []string {
	left := append([]map[string]any(nil), ours...)
	var out []string
	for _, r := range rec {
		if i := find(r, left); i >= 0 {
			left = append(left[:i], left[i+1:]...)
		} else {
			out = append(out, "recorded but not ours: "+closest(r, left))
		}
	}
	for _, o := range left {
		out = append(out, "ours but not recorded: "+show(bare(o)))
	}
	return out
}

func find(r map[string]any, in []map[string]any) int {
	for i, o := range in {
		if matchEvent(r, o) == "" {
			return i
		}
	}
	return -1
}

func closest(r map[string]any, in []map[string]any) string {
	for _, o := range in {
		if o["type"] == r["type"] {
			return matchEvent(r, o)
		}
	}
	return show(bare(r))
}
