package httpapi

import (
	"context"
	"errors"
	"slices"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// situation is the state of the loop that the overview speaks about.
type situation struct {
	h          *handler
	me         identity.Principal
	datasets   []dataset.Dataset
	ingestions []dataset.Ingestion // newest first
	runs       []training.Run      // newest first
	approvals  []rollout.Approval  // pending
	releases   []rollout.Release   // newest first
	models     []modelState
}

type modelState struct {
	registry.Model
	champion int
	trigger  training.Trigger
	lanes    []lane
}

// lane is one environment with its last hour.
type lane struct {
	rollout.Environment
	holds   []rollout.Hold
	traffic monitor.Totals
}

// overviewDepth is how many of the newest records of each kind are looked at.
const (
	overviewDepth  = 50
	overviewEvents = 100 // of which people are shown some: a canary alone is judged many times
	trafficMinutes = 60
)

// GetOverview answers getOverview. Everything in it is read from where the lists are read from, so that
// it never contradicts them.
func (h *handler) GetOverview(ctx context.Context) (*oas.Overview, error) {
	s := &situation{h: h, me: *requestOf(ctx).Principal}
	if err := s.gather(ctx); err != nil {
		return nil, err
	}
	models, err := s.summaries()
	if err != nil {
		return nil, err
	}
	recent, err := h.newest(ctx, overviewEvents)
	if err != nil {
		return nil, err
	}
	return &oas.Overview{Stages: s.stages(), Next: s.next(), NeedsMe: s.needs(), Models: models, Recent: recent}, nil
}

func (s *situation) gather(ctx context.Context) error {
	var err [5]error
	s.datasets, err[0] = s.h.Datasets.Datasets(ctx)
	s.ingestions, _, err[1] = s.h.Ingestions.Ingestions(ctx, dataset.Filter{Limit: overviewDepth})
	s.runs, _, err[2] = s.h.Runs.Runs(ctx, training.RunFilter{Limit: overviewDepth})
	s.approvals, err[3] = s.h.Approvals.Approvals(ctx, "Pending")
	s.releases, _, err[4] = s.h.Releases.Releases(ctx, "", overviewDepth, "")
	if err := errors.Join(err[:]...); err != nil {
		return err
	}
	models, merr := s.h.Models.Models(ctx)
	for _, m := range models {
		state, err := s.model(ctx, m)
		if err != nil {
			return err
		}
		s.models = append(s.models, state)
	}
	return merr
}

func (s *situation) model(ctx context.Context, m registry.Model) (modelState, error) {
	state := modelState{Model: m}
	champion, err := s.h.ModelVersions.Version(ctx, m.ID, 0)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return state, err
	}
	state.champion = champion.Number
	if state.trigger, err = s.h.Triggers.Trigger(ctx, m.ID); err != nil {
		return state, err
	}
	envs, err := s.h.Environments.Environments(ctx, m.ID)
	if err != nil {
		return state, err
	}
	for _, e := range envs {
		l, err := s.lane(ctx, e)
		if err != nil {
			return state, err
		}
		state.lanes = append(state.lanes, l)
	}
	return state, nil
}

func (s *situation) lane(ctx context.Context, e rollout.Environment) (lane, error) {
	l := lane{Environment: e}
	var err error
	if l.holds, err = s.h.Holds.Holds(ctx, e.Model, e.Name); err != nil {
		return l, err
	}
	points, err := s.h.Traffic.Series(ctx, e.Model, e.Name, digests(e), trafficMinutes)
	for _, p := range points {
		l.traffic.Requests += p.Requests
		l.traffic.Errors += p.Errors
		l.traffic.LatencyMs += p.LatencyMs
	}
	return l, err
}

// live is the version number that the environment serves; 0 = none.
func (l lane) live() int {
	i := slices.IndexFunc(l.Targets, func(t rollout.Target) bool { return t.Digest == l.Live && l.Live != "" })
	if i < 0 {
		return 0
	}
	return l.Targets[i].Version
}

func (s *situation) summaries() ([]oas.ModelSummary, error) {
	out := []oas.ModelSummary{}
	for _, m := range s.models {
		sum := oas.ModelSummary{Model: m.ID, Name: m.Name, Champion: optInt(m.champion), Environments: []oas.EnvironmentSummary{}}
		for _, l := range m.lanes {
			sum.Environments = append(sum.Environments, l.summary())
		}
		i := slices.IndexFunc(s.runs, func(r training.Run) bool { return r.Model == m.ID && !r.Status.Final() })
		if i >= 0 {
			run, err := wire[oas.Run](s.runs[i])
			if err != nil {
				return nil, err
			}
			sum.Run = oas.NewOptRun(*run)
		}
		out = append(out, sum)
	}
	return out, nil
}

func (l lane) summary() oas.EnvironmentSummary {
	sum := oas.EnvironmentSummary{Name: l.Name, Version: optInt(l.live()), Digest: opt(l.Live), Release: opt(l.Release),
		Requests: l.traffic.Requests, Errors: l.traffic.Errors, LatencyMs: l.traffic.MeanLatencyMs(), Holds: len(l.holds)}
	if !l.Changed.IsZero() {
		sum.Changed = oas.NewOptDateTime(l.Changed)
	}
	return sum
}

func optInt(n int) oas.OptInt {
	if n == 0 {
		return oas.OptInt{}
	}
	return oas.NewOptInt(n)
}

// newest gives the last events, newest first.
func (h *handler) newest(ctx context.Context, n int) ([]oas.Event, error) {
	head, err := h.Events.Head(ctx)
	if err != nil {
		return nil, err
	}
	events, err := h.Events.After(ctx, max(0, head.Seq-int64(n)), n)
	events = slices.Clone(events)
	slices.Reverse(events)
	return sentAll[oas.Event](events, err)
}
