package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Sweep drives what was interrupted between a write and its effect, ends what expired, and watches
// live versions. It is safe to call at any time; one failure does not keep back the rest.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(s.relaunch(ctx), s.expire(ctx), s.reanswer(ctx), s.watchAll(ctx))
}

func (s *Service) relaunch(ctx context.Context) error {
	rels, _, err := s.Releases(ctx, "", 20, "")
	for _, r := range rels {
		if r.Execution == "" && !r.Phase.final() {
			_, err = s.launch(ctx, r.ID)
		}
	}
	rbs, _, err2 := table.List[Rollback](ctx, s.Table, table.Query{Index: table.GSI2, PK: "ROLLBACKS", Descending: true, Limit: 20})
	for _, r := range rbs {
		if r.Execution == "" && r.Status == "Verifying" {
			_, err2 = s.follow(ctx, r.ID)
		}
	}
	return errors.Join(err, err2)
}

// reanswer answers executions that wait for an approval which has been decided.
func (s *Service) reanswer(ctx context.Context) error {
	rels, _, err := s.Releases(ctx, "", 20, "")
	for _, r := range rels {
		if r.Phase == PendingApproval && r.Approval != "" {
			err = errors.Join(err, s.answer(ctx, r.Approval))
		}
	}
	return err
}

// Rules for a live version after its release. A version is watched this long; it goes back when it
// answers less than cannedShare of its canned prompts three looks in a row, or when in one look at least
// minErrors requests and over maxErrorRate of them failed.
const (
	watchFor     = 7 * 24 * time.Hour
	watchEvery   = time.Minute
	minErrors    = 5
	maxErrorRate = 0.05
	badLooks     = 3
)

// guard is the state of watching a live version.
type guard struct {
	Digest string    `json:"digest"`
	Looked time.Time `json:"looked"`
	Last   counts    `json:"last"`
	Bad    int       `json:"bad"` // looks in a row with bad canned answers
	Rev    int64     `json:"rev"`
}

func guardKey(model, env string) table.Key {
	return table.Key{PK: "MODEL#" + model, SK: "GUARD#" + env}
}

func (s *Service) watchAll(ctx context.Context) error {
	envs, err := table.All[Environment](ctx, s.Table, table.Query{Index: table.GSI1, PK: "ENVS"})
	for _, e := range envs {
		young := s.Clock().Sub(e.Changed) < watchFor
		if e.Live != "" && e.Previous != "" && e.Release == "" && young {
			err = errors.Join(err, s.guard(ctx, e))
		}
	}
	return err
}

// guard looks at a live version and rolls it back when a rule is broken. Another instance that looks
// at the same time loses the write and does nothing.
func (s *Service) guard(ctx context.Context, e Environment) error {
	g, err := table.Load[guard](ctx, s.Table, guardKey(e.Model, e.Name))
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	if g.Digest == e.Live && s.Clock().Sub(g.Looked) < watchEvery {
		return nil
	}
	now, err := s.Monitor.Totals(ctx, e.Model, e.Name, e.Live)
	if err != nil {
		return err
	}
	fresh := g.Digest != e.Live
	if fresh {
		g = guard{Digest: e.Live, Last: now, Rev: g.Rev}
	}
	why, err := s.broken(ctx, e, &g, now)
	if err != nil {
		return err
	}
	g.Last, g.Looked = now, s.Clock()
	if err := s.Table.Write(ctx, "", table.Save(guardKey(e.Model, e.Name), g, g.Rev, nil)); err != nil || why == "" {
		return quietConflict(err)
	}
	_, err = s.Rollback(ctx, audit.System("safety-rule"), RollbackInput{
		Model: e.Model, Environment: e.Name, Reason: why, Automatic: true, Key: "guard:" + e.Name + ":" + e.Live})
	return err
}

func quietConflict(err error) error {
	if errs.Is(err, errs.Conflict) {
		return nil
	}
	return err
}

// broken says which rule a live version breaks, or "".
func (s *Service) broken(ctx context.Context, e Environment, g *guard, now counts) (string, error) {
	since := now.Minus(g.Last)
	if since.Errors >= minErrors && float64(since.Errors) > maxErrorRate*float64(since.Requests) {
		return fmt.Sprintf("safety rule: %d of %d requests failed", since.Errors, since.Requests), nil
	}
	m, err := s.Registry.Model(ctx, e.Model)
	if err != nil || len(m.Canned) == 0 {
		return "", err
	}
	passed := s.canned(ctx, m, e.target(e.Live))
	if float64(passed) >= cannedShare*float64(len(m.Canned)) {
		g.Bad = 0
		return "", nil
	}
	if g.Bad++; g.Bad < badLooks {
		return "", nil
	}
	return fmt.Sprintf("safety rule: answers only %d of %d canned prompts, %d looks in a row", passed, len(m.Canned), g.Bad), nil
}
