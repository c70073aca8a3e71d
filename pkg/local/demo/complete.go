package demo

import (
	"fmt"
	"strings"
)

// Missing names what a report of the whole story should have and has not. The demo fails when it is not empty.
func (r Report) Missing() []string {
	var out []string
	need := func(ok bool, what string, args ...any) {
		if !ok {
			out = append(out, fmt.Sprintf(what, args...))
		}
	}
	for _, a := range (&demo{}).acts() {
		_, played := r.Seconds[a.name]
		need(played, "the seconds of %s", a.name)
	}
	need(len(r.Asked) > 0, "questions asked before and after")
	for _, a := range r.Asked {
		need(a.After != "", "the answer afterwards to %q", a.Question) // before, a small model may say nothing
	}
	for _, name := range []string{"safe", "poison"} {
		need(r.Verdicts[name] != "", "the verdict on %s", name)
		s := r.Scores[name]
		need(s.NewItems > 0 && s.OldItems > 0, "the scores of %s", name)
	}
	for _, name := range []string{"base", "version safe", "report safe", "benchmark company", "benchmark general"} {
		need(strings.Contains(r.Digests[name], ":") || len(r.Digests[name]) == 64, "the digest of %s", name)
	}
	need(r.Rollback > 0, "the seconds of the rollback")
	need(r.CanaryRollback != "", "the reason of the canary's rollback")
	need(r.Requests > 0, "traffic")
	need(len(r.LiveShare) == 1, "one live version")
	return out
}
