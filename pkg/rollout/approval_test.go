package rollout_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// waiting gives a release whose execution waits with a token.
func (w *world) waiting(in rollout.RequestInput) rollout.Release {
	rel, err := w.Request(w.ctx, ana, in)
	require.NoError(w.t, err)
	require.NoError(w.t, w.AwaitApproval(w.ctx, rel.ID, "token"))
	return rel
}

func TestApproval_AnotherUserDecides(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	rel := w.waiting(rollout.RequestInput{Model: "support", Version: 2})
	_, err := w.Decide(w.ctx, ana, rel.Approval, rollout.DecideInput{Approve: true, Reason: "mine"})
	require.True(t, errs.Is(err, errs.Forbidden), "the requester cannot approve")
	_, err = w.Decide(w.ctx, ben, rel.Approval, rollout.DecideInput{Approve: true})
	require.True(t, errs.Is(err, errs.Invalid), "a decision needs a reason")
	require.Empty(t, w.answered)

	app, err := w.Decide(w.ctx, ben, rel.Approval, rollout.DecideInput{Approve: true, Reason: "numbers are good"})
	require.NoError(t, err)
	require.Equal(t, "Approved", app.Status)
	require.Equal(t, map[string]any{"status": "Approved"}, w.answered["token"])
	_, err = w.Decide(w.ctx, eve, rel.Approval, rollout.DecideInput{Approve: false, Reason: "late"})
	require.True(t, errs.Is(err, errs.Precondition), "single use")
}

func TestApproval_BreakGlassNeedsTwoOthers(t *testing.T) {
	w := newWorld(t)
	w.version(2, "FAIL")
	rel := w.waiting(rollout.RequestInput{Model: "support", Version: 2, BreakGlass: true, Reason: "regulator's deadline"})
	app, err := w.Decide(w.ctx, ben, rel.Approval, rollout.DecideInput{Approve: true, Reason: "agreed"})
	require.NoError(t, err)
	require.Equal(t, "Pending", app.Status)
	_, err = w.Decide(w.ctx, ben, rel.Approval, rollout.DecideInput{Approve: true, Reason: "again"})
	require.True(t, errs.Is(err, errs.Forbidden), "nobody decides twice")
	app, err = w.Decide(w.ctx, eve, rel.Approval, rollout.DecideInput{Approve: true, Reason: "agreed too"})
	require.NoError(t, err)
	require.Equal(t, "Approved", app.Status)
}

func TestApproval_AnyChangeVoidsIt(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	rel := w.waiting(rollout.RequestInput{Model: "support", Version: 2})
	require.NoError(t, w.registry.Judge(w.ctx, ana, "support", 2, func(v *registry.Version) { v.Report = "sha256:other" }))
	app, err := w.Decide(w.ctx, ben, rel.Approval, rollout.DecideInput{Approve: true, Reason: "fine"})
	require.True(t, errs.Is(err, errs.Precondition), err)
	require.Equal(t, "Voided", app.Status)
	require.Equal(t, map[string]any{"status": "Voided"}, w.answered["token"])
}

func TestApproval_WhatWasSeenMustBeWhatIsDecided(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	rel := w.waiting(rollout.RequestInput{Model: "support", Version: 2})
	_, err := w.Decide(w.ctx, ben, rel.Approval, rollout.DecideInput{Approve: true, Reason: "ok", Binding: &rollout.Binding{Candidate: digest(1)}})
	require.True(t, errs.Is(err, errs.Precondition), err)
}

func TestApproval_Expires(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	rel := w.waiting(rollout.RequestInput{Model: "support", Version: 2})
	w.now = w.now.Add(73 * time.Hour)
	_, err := w.Decide(w.ctx, ben, rel.Approval, rollout.DecideInput{Approve: true, Reason: "ok"})
	require.True(t, errs.Is(err, errs.Precondition), err)
	require.NoError(t, w.Sweep(w.ctx))
	require.Equal(t, map[string]any{"status": "Expired"}, w.answered["token"])
}

func TestApproval_DecisionBeforeTheTokenIsAnsweredWhenItComes(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	rel := w.request(2)
	_, err := w.Decide(w.ctx, ben, rel.Approval, rollout.DecideInput{Approve: false, Reason: "no"})
	require.NoError(t, err)
	require.NoError(t, w.AwaitApproval(w.ctx, rel.ID, "token"))
	require.Equal(t, map[string]any{"status": "Rejected"}, w.answered["token"])
}

func TestRollback_MovesTrafficInOneWrite(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	w.through(w.request(2), "development", "staging", "production")
	_, err := w.Rollback(w.ctx, ben, rollout.RollbackInput{Model: "support", Environment: "production"})
	require.True(t, errs.Is(err, errs.Invalid), "a rollback needs a reason")

	rb, err := w.Rollback(w.ctx, ben, rollout.RollbackInput{Model: "support", Environment: "production", Reason: "wrong prices"})
	require.NoError(t, err)
	require.Equal(t, map[int]int{1: 100, 2: 0}, w.weights("production"))
	w.now = w.now.Add(2 * time.Second)
	rb, err = w.VerifyRollback(w.ctx, rb.ID)
	require.NoError(t, err)
	require.Equal(t, "Done", rb.Status)
	require.InDelta(t, 2, rb.Seconds, 1e-9)
	require.Equal(t, 1, w.champion())
}

func TestRollback_HoldKeepsTheVersionOut(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	w.through(w.request(2), "development", "staging", "production")
	rb, err := w.Rollback(w.ctx, ben, rollout.RollbackInput{Model: "support", Environment: "production", Reason: "wrong prices"})
	require.NoError(t, err)
	_, err = w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: 2})
	require.True(t, errs.Is(err, errs.Held), err)
	_, err = w.Request(w.ctx, audit.System("trigger"), rollout.RequestInput{Model: "support", Version: 1})
	require.True(t, errs.Is(err, errs.Held), "triggers wait until a person releases the hold")
	_, err = w.Rollback(w.ctx, ben, rollout.RollbackInput{Model: "support", Environment: "production", Reason: "again"})
	require.True(t, errs.Is(err, errs.Held), "a second rollback does not bring it back")

	_, err = w.ReleaseHold(w.ctx, ben, "support", "production", rb.Hold, "fixed")
	require.NoError(t, err)
	_, err = w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: 2})
	require.NoError(t, err)
}

func TestRollback_OvertakesACanary(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	rel := w.request(2)
	p := w.prepared(rel, "production")
	_, err := w.Shift(w.ctx, p)
	require.NoError(t, err)
	_, err = w.Rollback(w.ctx, ben, rollout.RollbackInput{Model: "support", Environment: "production", Reason: "odd answers"})
	require.NoError(t, err)
	require.Equal(t, 100, w.weights("production")[1])
	rel, err = w.Release(w.ctx, rel.ID)
	require.NoError(t, err)
	require.Equal(t, rollout.RolledBack, rel.Phase)
	_, err = w.Shift(w.ctx, p)
	require.True(t, errs.Is(err, errs.Conflict), "the stopped release moves no traffic any more")
}

func TestRollback_NothingToGoBackTo(t *testing.T) {
	w := newWorld(t)
	_, err := w.Rollback(w.ctx, ben, rollout.RollbackInput{Model: "support", Environment: "production", Reason: "drill"})
	require.True(t, errs.Is(err, errs.Precondition), err)
}

func TestGuard_RollsBackALiveVersionByItself(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"errors":  func(w *world) { w.traffic("production", digest(2), 40, 20) },
		"answers": func(w *world) { w.broken[digest(2)] = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.version(2, "PASS")
			w.through(w.request(2), "development", "staging", "production")
			w.sweepAfterAMinute()
			require.Equal(t, 100, w.weights("production")[2], "a healthy version stays")
			spoil(w)
			for range 3 {
				w.sweepAfterAMinute()
			}
			require.Equal(t, map[int]int{1: 100, 2: 0}, w.weights("production"))
			w.heldBack(2)
		})
	}
}

func (w *world) sweepAfterAMinute() {
	w.now = w.now.Add(time.Minute)
	require.NoError(w.t, w.Sweep(w.ctx))
}
