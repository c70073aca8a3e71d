package httpapi

import (
	"fmt"
	"slices"
	"time"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// needs lists what waits for this caller: only what the caller may do.
func (s *situation) needs() []oas.Need {
	return slices.Concat([]oas.Need{}, s.decisions(), s.quarantined(), s.failures(), s.held())
}

func need(kind oas.NeedKind, title, subject, id string, since time.Time) oas.Need {
	return oas.Need{Kind: kind, Title: title, Subject: oas.Subject{Type: subject, ID: id}, Since: since}
}

func (s *situation) decisions() (out []oas.Need) {
	for _, a := range s.approvals {
		if s.mayDecide(a) {
			out = append(out, need(oas.NeedKindApproval, fmt.Sprintf("Decide on version %d of %s", a.Version, s.called(a.Model)), "approval", a.ID, a.Created))
		}
	}
	return out
}

func (s *situation) quarantined() (out []oas.Need) {
	for _, i := range s.ingestions {
		if i.Status == dataset.Quarantined && s.me.May(identity.DataWrite) {
			out = append(out, need(oas.NeedKindIngestion, "Decide on "+i.Name+" in quarantine", "ingestion", i.ID, i.Created))
		}
	}
	return out
}

func (s *situation) failures() (out []oas.Need) {
	if !s.me.May(identity.RunsWrite) {
		return nil
	}
	for _, r := range s.failedRuns() {
		out = append(out, need(oas.NeedKindRun, "Look at the failed run of "+s.called(r.Model), "run", r.ID, r.Ended))
	}
	return out
}

func (s *situation) held() (out []oas.Need) {
	if !s.me.May(identity.DeploymentsWrite) {
		return nil
	}
	for _, l := range s.lanes() {
		for _, hold := range l.holds {
			title := fmt.Sprintf("Version %d is on hold in %s", hold.Version, l.Name)
			out = append(out, need(oas.NeedKindHold, title, "environment", l.Model+"/"+l.Name, hold.Created))
		}
	}
	return out
}

func (s *situation) mayDecide(a rollout.Approval) bool {
	decided := slices.ContainsFunc(a.Decisions, func(d rollout.Decision) bool { return d.Actor.ID == s.me.Actor.ID })
	return s.me.May(identity.ApprovalsDecide) && a.Requester.ID != s.me.Actor.ID && !decided
}

// failedRuns gives each model's newest run if it failed.
func (s *situation) failedRuns() []training.Run {
	var out []training.Run
	seen := map[string]bool{}
	for _, r := range s.runs {
		if !seen[r.Model] && r.Status == training.Failed {
			out = append(out, r)
		}
		seen[r.Model] = true
	}
	return out
}

func (s *situation) lanes() []lane {
	var out []lane
	for _, m := range s.models {
		out = append(out, m.lanes...)
	}
	return out
}

// next says what will happen by itself, soonest first; what has no time comes last.
func (s *situation) next() []oas.NextAction {
	out := []oas.NextAction{}
	for _, m := range s.models {
		out = append(out, s.nextOf(m)...)
	}
	slices.SortStableFunc(out, func(a, b oas.NextAction) int {
		switch {
		case a.At.Set && b.At.Set:
			return a.At.Value.Compare(b.At.Value)
		case a.At.Set:
			return -1
		case b.At.Set:
			return 1
		}
		return 0
	})
	return out
}

func (s *situation) nextOf(m modelState) []oas.NextAction {
	var out []oas.NextAction
	add := func(kind oas.NextActionKind, what string, at time.Time) {
		a := oas.NextAction{Kind: kind, What: what, Model: m.ID}
		if !at.IsZero() {
			a.At = oas.NewOptDateTime(at)
		}
		out = append(out, a)
	}
	for _, r := range s.runs {
		if r.Model == m.ID && !r.Status.Final() {
			add(oas.NextActionKindRun, "the gate judges what comes out of the run in progress", time.Time{})
			break
		}
	}
	for _, a := range s.approvals {
		if a.Model == m.ID {
			add(oas.NextActionKindApproval, fmt.Sprintf("the approval of version %d expires", a.Version), a.Expires)
		}
	}
	if t := m.trigger; t.Enabled {
		if !t.NextRun.IsZero() {
			add(oas.NextActionKindTrigger, "a run by schedule, if there is new data", t.NextRun)
		}
		if t.MinRows > 0 {
			what, at := dataTrigger(t)
			add(oas.NextActionKindTrigger, what, at)
		}
	}
	return out
}

// dataTrigger says when new data starts a run.
func dataTrigger(t training.Trigger) (string, time.Time) {
	if t.PendingRows < t.MinRows {
		return fmt.Sprintf("a run after %s more", count(t.MinRows-t.PendingRows, "row")), time.Time{}
	}
	quiet := t.LastArrival.Add(time.Duration(t.Debounce) * time.Second)
	cool := t.LastRun.Add(time.Duration(t.Cooldown) * time.Second)
	if cool.After(quiet) {
		quiet = cool
	}
	return fmt.Sprintf("a run on %s", count(t.PendingRows, "new row")), quiet
}
