package rollout

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/stats"
	"github.com/perennial-llm/perennial/pkg/table"
)

// watch is the state of a canary's analysis between looks.
type watch struct {
	Step   int             `json:"step"`
	Start  [2]counts       `json:"start"` // totals of base and canary when the step began
	Last   [2]counts       `json:"last"`  // totals at the last look
	Looks  int             `json:"looks"` // in this step
	Errors *stats.EProcess `json:"errors"`
	Canned int             `json:"canned"` // prompts that the live version answered rightly; -1 = not asked
	Passed int             `json:"passed"` // prompts that the canary answered rightly in this step; -1 = not asked
	Rev    int64           `json:"rev"`
}

type counts = monitor.Totals

func watchKey(p Place) table.Key {
	return table.Key{PK: "RELEASE#" + p.Release, SK: "WATCH#" + p.Environment}
}

// beginWatch is the operation that starts the analysis of a step; the errors test goes on over steps.
func (s *Service) beginWatch(ctx context.Context, rel Release, p Place) (table.Op, error) {
	w, err := table.Load[watch](ctx, s.Table, watchKey(p))
	if err != nil && !errs.Is(err, errs.NotFound) {
		return table.Op{}, err
	}
	env, err := s.Environment(ctx, rel.Model, p.Environment)
	if err != nil {
		return table.Op{}, err
	}
	now, err := s.totals(ctx, rel, env)
	if err != nil {
		return table.Op{}, err
	}
	if w.Errors == nil {
		w.Errors, w.Canned = stats.NewEProcess(env.Strategy.Alpha, 1.2), -1
	}
	w.Step, w.Looks, w.Passed, w.Start, w.Last = p.Step, 0, -1, now, now
	return table.Save(watchKey(p), w, w.Rev, nil), nil
}

func (s *Service) totals(ctx context.Context, rel Release, env Environment) (out [2]counts, err error) {
	if env.Live != "" && env.Live != rel.Digest {
		if out[0], err = s.Monitor.Totals(ctx, rel.Model, env.Name, env.Live); err != nil {
			return out, err
		}
	}
	out[1], err = s.Monitor.Totals(ctx, rel.Model, env.Name, rel.Digest)
	return out, err
}

// Verdicts of a look.
const (
	Advance = "Advance"
	Wait    = "Hold"
	Back    = "Rollback"
)

// Look is what a look at a canary decided.
type Look struct {
	Verdict string `json:"verdict"` // Advance, Hold or Rollback
	Reason  string `json:"reason"`
	Last    bool   `json:"last"` // the step that ended was the last one
	Next    int    `json:"next"` // index of the next step
}

// Judge looks at a canary: errors by an e-process that stays valid however often one looks, latency by a
// sequential test on its logarithm together with a bound on the ratio, and the canned prompts.
func (s *Service) Judge(ctx context.Context, p Place) (Look, error) {
	rel, err := s.Release(ctx, p.Release)
	if err != nil {
		return Look{}, err
	}
	env, err := s.Environment(ctx, rel.Model, p.Environment)
	if err != nil {
		return Look{}, err
	}
	w, err := table.Load[watch](ctx, s.Table, watchKey(p))
	if err != nil {
		return Look{}, err
	}
	a, err := s.analyze(ctx, rel, env, &w)
	if err != nil {
		return Look{}, err
	}
	look := decide(env.Strategy, w, a)
	look.Next, look.Last = p.Step+1, p.Step+1 >= len(env.Strategy.Steps)
	if err := s.Table.Write(ctx, "", table.Save(watchKey(p), w, w.Rev, nil)); err != nil {
		return look, err
	}
	weight := 0
	if t := env.target(rel.Digest); t != nil {
		weight = t.Weight
	}
	return look, s.note(ctx, p, Step{Action: "Judged", Weight: weight, Verdict: look.Verdict, Detail: look.Reason, Analysis: &a})
}

func (s *Service) analyze(ctx context.Context, rel Release, env Environment, w *watch) (Analysis, error) {
	now, err := s.totals(ctx, rel, env)
	if err != nil {
		return Analysis{}, err
	}
	base, canary := now[0].Minus(w.Last[0]), now[1].Minus(w.Last[1])
	w.Errors.Observe(int(base.Requests), int(base.Errors), int(canary.Requests), int(canary.Errors))
	w.Last, w.Looks = now, w.Looks+1
	stepBase, step := now[0].Minus(w.Start[0]), now[1].Minus(w.Start[1])
	a := Analysis{BaseRequests: stepBase.Requests, BaseErrors: stepBase.Errors, CanaryRequests: step.Requests,
		CanaryErrors: step.Errors, ErrorE: w.Errors.MaxE, LatencyRatio: slower(stepBase, step, env.Strategy.Alpha)}
	model, err := s.Registry.Model(ctx, rel.Model)
	if err != nil {
		return a, err
	}
	if w.Canned < 0 {
		w.Canned = s.baseline(ctx, model, env, rel)
	}
	if w.Passed < 0 { // once a step: asking at every look would crowd out the traffic that is judged
		w.Passed = s.canned(ctx, model, env.target(rel.Digest))
	}
	a.CannedPassed, a.CannedTotal = w.Passed, w.Canned
	return a, nil
}

// baseline is how many canned prompts the live version answers, or all when nothing is live.
func (s *Service) baseline(ctx context.Context, m registry.Model, env Environment, rel Release) int {
	if env.Live == "" || env.Live == rel.Digest {
		return len(m.Canned)
	}
	return s.canned(ctx, m, env.target(env.Live))
}

// canned counts the canned prompts that a target answers rightly, asking them all at once so that its
// server can batch them; a failing endpoint answers none.
func (s *Service) canned(ctx context.Context, m registry.Model, t *Target) int {
	if t == nil {
		return 0
	}
	var right atomic.Int64
	var asking sync.WaitGroup
	for _, c := range m.Canned {
		asking.Go(func() {
			if a, err := s.Asker.Ask(ctx, t.Endpoint, c.Prompt); err == nil && c.Matches(a.Text) {
				right.Add(1)
			}
		})
	}
	asking.Wait()
	return int(right.Load())
}

// slower gives the ratio of geometric mean latencies canary/base when the sequential test finds the
// canary slower at level alpha, and otherwise the ratio capped at 1; 0 when there is no base.
func slower(base, canary counts, alpha float64) float64 {
	if base.Answered() == 0 || canary.Answered() == 0 {
		return 0
	}
	test := stats.NewMSPRT(alpha, 0.2)
	test.Base, test.Canary = moments(base), moments(canary)
	ratio := math.Exp(test.Canary.Mean() - test.Base.Mean())
	if test.Value() >= 1/alpha {
		return ratio
	}
	return math.Min(1, ratio)
}

func moments(c counts) stats.Moments {
	return stats.Moments{N: int(c.Answered()), Sum: float64(c.LogLatency) / 1e6, SumSq: float64(c.LogLatencySq) / 1e6}
}

// cannedShare is the part of the live version's rightly answered canned prompts that a canary must keep.
const cannedShare = 0.8

func decide(st Strategy, w watch, a Analysis) Look {
	switch {
	case w.Errors.Stopped:
		return Look{Verdict: Back, Reason: fmt.Sprintf("more errors than before: %d of %d against %d of %d (E = %.3g)",
			a.CanaryErrors, a.CanaryRequests, a.BaseErrors, a.BaseRequests, a.ErrorE)}
	case float64(a.CannedPassed) < cannedShare*float64(a.CannedTotal):
		return Look{Verdict: Back, Reason: fmt.Sprintf("answers only %d of %d canned prompts", a.CannedPassed, a.CannedTotal)}
	case a.LatencyRatio > st.LatencyMax:
		return Look{Verdict: Back, Reason: fmt.Sprintf("%.1f times slower (allowed %.1f)", a.LatencyRatio, st.LatencyMax)}
	case a.CanaryRequests >= int64(st.MinRequests):
		return Look{Verdict: Advance, Reason: fmt.Sprintf("%d requests, %d errors, canned %d of %d",
			a.CanaryRequests, a.CanaryErrors, a.CannedPassed, a.CannedTotal)}
	case w.Looks >= st.MaxHold:
		return Look{Verdict: Back, Reason: fmt.Sprintf("only %d of %d requests after %d looks", a.CanaryRequests, st.MinRequests, w.Looks)}
	}
	return Look{Verdict: Wait, Reason: fmt.Sprintf("%d of %d requests", a.CanaryRequests, st.MinRequests)}
}
