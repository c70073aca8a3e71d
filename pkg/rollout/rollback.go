package rollout

import (
	"context"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// RollbackInput asks to go back.
type RollbackInput struct {
	Model       string
	Environment string
	Version     int // 0 = the previous one
	Reason      string
	Automatic   bool
	Key         string // idempotency; may be empty
}

func rollbackKey(id string) table.Key { return table.Key{PK: "ROLLBACK#" + id, SK: "META"} }

func saveRollback(r Rollback, rev int64) table.Op {
	return table.Save(rollbackKey(r.ID), r, rev, map[table.Index]table.Key{
		table.GSI1: {PK: "ROLLBACKS#" + r.Model, SK: r.Environment + "#" + r.ID}, table.GSI2: {PK: "ROLLBACKS", SK: r.ID}})
}

// Rollback returns an environment's traffic to an earlier version. The traffic moves in the very write
// that records the rollback and the hold on the version that it leaves; what follows verifies it.
func (s *Service) Rollback(ctx context.Context, by audit.Actor, in RollbackInput) (Rollback, error) {
	if strings.TrimSpace(in.Reason) == "" {
		return Rollback{}, errs.New(errs.Invalid, "a rollback needs a reason").At("/reason").Mend("say in a few words why")
	}
	if in.Key == "" {
		in.Key = s.IDs("key")
	}
	var id string
	err := retry(func() error {
		was, err := s.Environment(ctx, in.Model, in.Environment)
		if err != nil {
			return err
		}
		id, err = s.shiftBack(ctx, by, in, was)
		return err
	})
	if err != nil {
		return Rollback{}, err
	}
	return s.follow(ctx, id)
}

// shiftBack commits the rollback of an environment as it was read and gives its id.
func (s *Service) shiftBack(ctx context.Context, by audit.Actor, in RollbackInput, was Environment) (string, error) {
	from, to, err := was.wayBack(in.Version)
	if err != nil {
		return "", err
	}
	if err := s.notHeld(ctx, by, in.Model, in.Environment, to.Digest); err != nil && !in.Automatic {
		return "", err
	}
	e := was
	e.Targets = slices.Clone(was.Targets)
	e.Live, e.Previous, e.Release = to.Digest, from.Digest, ""
	e.point(to.Digest, 100)
	e.Changed, e.Rev = s.Clock(), was.Rev+1
	hold := s.newHold(by, in.Model, in.Environment, from, in.Reason)
	rb := Rollback{ID: s.IDs("rbk"), Model: in.Model, Environment: in.Environment, From: from, To: to, Reason: in.Reason, Actor: by,
		Automatic: in.Automatic, Status: "Verifying", Hold: hold.ID, Created: s.Clock(), Rev: 1}
	event, err := s.Log.Commit(ctx, audit.Change{Actor: by, Type: "RollbackStarted", Reason: in.Reason, Data: rb, Key: in.Key,
		Before: audit.JSON(was.Targets), After: audit.JSON(e.Targets), Subject: audit.Subject{Type: "rollback", ID: rb.ID},
		Ops: []table.Op{saveEnv(e, was.Rev), saveRollback(rb, 0), saveHold(hold, 0)}})
	if err != nil {
		return "", err
	}
	return event.Subject.ID, s.overtake(ctx, by, was.Release, in.Reason)
}

// wayBack finds the target that carries the newest version's traffic and the one to go back to.
func (e Environment) wayBack(version int) (from, to Target, err error) {
	leave := e.newest()
	back := e.Previous
	if leave != e.Live {
		back = e.Live
	}
	if version > 0 {
		back = e.digestOf(version)
	}
	f, t := e.target(leave), e.target(back)
	if f == nil || t == nil || f == t {
		return from, to, errs.New(errs.Precondition, "%s has no other version to go back to", e.Name).
			Mend("only a version that is kept warm can be gone back to; release an earlier one instead")
	}
	return *f, *t, nil
}

// newest is the digest to leave: that of a canary under way, else the live one.
func (e Environment) newest() string {
	for _, t := range e.Targets {
		if e.Release != "" && t.Weight > 0 && t.Digest != e.Live {
			return t.Digest
		}
	}
	return e.Live
}

func (e Environment) digestOf(version int) string {
	for _, t := range e.Targets {
		if t.Version == version {
			return t.Digest
		}
	}
	return ""
}

// overtake ends the release that was under way where a rollback happened.
func (s *Service) overtake(ctx context.Context, by audit.Actor, id, reason string) error {
	if id == "" {
		return nil
	}
	rel, err := s.Release(ctx, id)
	if err != nil || rel.Phase.final() {
		return err
	}
	if rel.Execution != "" {
		if err := s.Workflow.Stop(ctx, rel.Execution, "rolled back: "+reason); err != nil {
			return err
		}
	}
	_, err = s.end(ctx, by, rel, RolledBack, reason)
	return err
}

// follow starts rollback-release, which verifies the rollback; the name makes a second call harmless.
func (s *Service) follow(ctx context.Context, id string) (Rollback, error) {
	rb, err := s.RollbackByID(ctx, id)
	if err != nil || rb.Execution != "" {
		return rb, err
	}
	arn, err := s.Workflow.Start(ctx, "rollback-release", id, map[string]string{"rollback": id})
	if err != nil {
		return rb, err
	}
	return s.updateRollback(ctx, id, "RollbackFollowed", func(r *Rollback) { r.Execution = arn })
}

func (s *Service) updateRollback(ctx context.Context, id, event string, change func(*Rollback)) (Rollback, error) {
	var rb Rollback
	err := retry(func() error {
		was, err := s.RollbackByID(ctx, id)
		rb = was
		if err != nil {
			return err
		}
		change(&rb)
		rb.Rev++
		_, err = s.Log.Commit(ctx, audit.Change{Actor: audit.System("rollout"), Type: event, Data: rb,
			Subject: audit.Subject{Type: "rollback", ID: id}, Ops: []table.Op{saveRollback(rb, was.Rev)}})
		return err
	})
	return rb, err
}

// VerifyRollback asks the environment's live endpoint: the rollback is done only when the digest that
// answers is the one gone back to. errs.Unhealthy otherwise.
func (s *Service) VerifyRollback(ctx context.Context, id string) (Rollback, error) {
	rb, err := s.RollbackByID(ctx, id)
	if err != nil || rb.Status == "Done" {
		return rb, err
	}
	if err := s.observed(ctx, rb.Model, rb.Environment, rb.To.Digest); err != nil {
		return rb, err
	}
	if err := s.crown(ctx, rb.Model, rb.Environment, rb.To.Version, "rolled back: "+rb.Reason); err != nil {
		return rb, err
	}
	now := s.Clock()
	return s.updateRollback(ctx, id, "RolledBack", func(r *Rollback) {
		r.Status, r.Ended, r.Seconds = "Done", now, now.Sub(r.Created).Seconds()
	})
}

// FailRollback records that a rollback's version does not answer. Traffic stays where it was put.
func (s *Service) FailRollback(ctx context.Context, id, why string) error {
	_, err := s.updateRollback(ctx, id, "RollbackFailed", func(r *Rollback) { r.Status, r.Error, r.Ended = "Failed", why, s.Clock() })
	return err
}

// RollbackByID gives one rollback.
func (s *Service) RollbackByID(ctx context.Context, id string) (Rollback, error) {
	r, err := table.Load[Rollback](ctx, s.Table, rollbackKey(id))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no rollback %q", id)
	}
	return r, err
}

// Rollbacks lists rollbacks of an environment, newest first.
func (s *Service) Rollbacks(ctx context.Context, model, env string) ([]Rollback, error) {
	return table.All[Rollback](ctx, s.Table, table.Query{
		Index: table.GSI1, PK: "ROLLBACKS#" + model, Prefix: env + "#", Descending: true})
}
