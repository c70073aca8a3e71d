package rollout_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

func TestRelease_MovesTheSameDigestThroughEnvironments(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	w.through(w.request(2), "development", "staging", "production")
	for _, env := range []string{"development", "staging", "production"} {
		require.Equal(t, digest(2), w.env(env).Live)
		require.Equal(t, digest(1), w.env(env).Previous)
		require.Equal(t, map[int]int{1: 0, 2: 100}, w.weights(env), "the previous version stays warm")
	}
	require.Equal(t, 2, w.champion())
}

func TestRelease_KeepsOnlyLiveAndPreviousWarm(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	w.through(w.request(2), "development", "staging", "production")
	w.version(3, "PASS")
	rel := w.request(3)
	p := w.prepared(rel, "development")
	_, err := w.Shift(w.ctx, p)
	require.NoError(t, err)
	out, err := w.Finish(w.ctx, p)
	require.NoError(t, err)
	require.Equal(t, []string{rollout.EndpointName("support", "development", digest(1))}, out.Retire)
}

func TestRelease_CanaryTakesItsShare(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	p := w.prepared(w.request(2), "production")
	weight, err := w.Shift(w.ctx, p)
	require.NoError(t, err)
	require.Equal(t, 10, weight)
	require.Equal(t, map[int]int{1: 90, 2: 10}, w.weights("production"))
}

func TestRelease_HoldsWithoutTraffic(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	p := w.prepared(w.request(2), "production")
	_, err := w.Shift(w.ctx, p)
	require.NoError(t, err)
	look, err := w.Judge(w.ctx, p)
	require.NoError(t, err)
	require.Equal(t, rollout.Wait, look.Verdict)
}

func TestRelease_BadCanaryGoesBackByItself(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"errors":         func(w *world) { w.traffic("production", digest(1), 500, 0); w.traffic("production", digest(2), 60, 30) },
		"canned answers": func(w *world) { w.broken[digest(2)] = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.version(2, "PASS")
			rel := w.request(2)
			p := w.prepared(rel, "production")
			_, err := w.Shift(w.ctx, p)
			require.NoError(t, err)
			spoil(w)
			look, err := w.Judge(w.ctx, p)
			require.NoError(t, err)
			require.Equal(t, rollout.Back, look.Verdict)

			out, err := w.Revert(w.ctx, p, look.Reason)
			require.NoError(t, err)
			require.Equal(t, []string{rollout.EndpointName("support", "production", digest(2))}, out.Retire)
			require.Equal(t, map[int]int{1: 100}, w.weights("production"))
			rel, err = w.Release(w.ctx, rel.ID)
			require.NoError(t, err)
			require.Equal(t, rollout.RolledBack, rel.Phase)
			w.heldBack(2)
			again, err := w.Revert(w.ctx, p, look.Reason)
			require.NoError(t, err)
			require.Empty(t, again.Retire, "reverting twice changes nothing more")
		})
	}
}

// heldBack asserts that a version is on hold in production and recorded as rolled back automatically.
func (w *world) heldBack(n int) {
	holds, err := w.Holds(w.ctx, "support", "production")
	require.NoError(w.t, err)
	require.Len(w.t, holds, 1)
	require.Equal(w.t, digest(n), holds[0].Digest)
	rbs, err := w.Rollbacks(w.ctx, "support", "production")
	require.NoError(w.t, err)
	require.Len(w.t, rbs, 1)
	require.True(w.t, rbs[0].Automatic)
}

func TestRelease_VerifiesTheObservedDigest(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	rel := w.request(2)
	p := rollout.Place{Release: rel.ID, Environment: "development"}
	prepared, err := w.Prepare(w.ctx, p)
	require.NoError(t, err)
	w.serving[prepared.Endpoint] = digest(9)
	err = w.Verify(w.ctx, p)
	require.True(t, errs.Is(err, errs.Unhealthy), err)
	require.ErrorContains(t, err, digest(9))
}

func TestRelease_OnePerEnvironment(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	w.version(3, "PASS")
	w.prepared(w.request(2), "production")
	_, err := w.Prepare(w.ctx, rollout.Place{Release: w.request(3).ID, Environment: "production"})
	require.True(t, errs.Is(err, errs.Held), err)
}

func TestRelease_AbortReturnsTraffic(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	rel := w.request(2)
	p := w.prepared(rel, "production")
	_, err := w.Shift(w.ctx, p)
	require.NoError(t, err)
	rel, err = w.Abort(w.ctx, ben, rel.ID, "not today")
	require.NoError(t, err)
	require.Equal(t, rollout.Failed, rel.Phase)
	require.Equal(t, 100, w.weights("production")[1])
	require.Empty(t, w.env("production").Release)
	require.NotEmpty(t, w.stopped)
}

func TestRequest_RefusesWhatTheGateDidNotPass(t *testing.T) {
	w := newWorld(t)
	w.version(2, "FAIL")
	_, err := w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: 2})
	require.True(t, errs.Is(err, errs.GateFailed), err)
	w.version(3, "")
	_, err = w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: 3, BreakGlass: true, Reason: "x"})
	require.True(t, errs.Is(err, errs.GateFailed), "no verdict is never a pass")
	_, err = w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: 2, BreakGlass: true})
	require.True(t, errs.Is(err, errs.Invalid), "breaking the glass needs a reason")
	_, err = w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: 1, Environments: []string{"moon"}})
	require.True(t, errs.Is(err, errs.Invalid), err)
}

func TestRequest_IsIdempotentByKey(t *testing.T) {
	w := newWorld(t)
	w.version(2, "PASS")
	a, err := w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: 2, Key: "k"})
	require.NoError(t, err)
	b, err := w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: 2, Key: "k"})
	require.NoError(t, err)
	require.Equal(t, a.ID, b.ID)
}

func TestStrategy_BadOnesAreRefused(t *testing.T) {
	w := newWorld(t)
	good := w.env("production").Strategy
	for _, spoil := range []func(*rollout.Strategy){
		func(s *rollout.Strategy) { s.Steps = nil }, func(s *rollout.Strategy) { s.Steps = []int{50} },
		func(s *rollout.Strategy) { s.Steps = []int{60, 10, 100} }, func(s *rollout.Strategy) { s.Interval = 0 },
		func(s *rollout.Strategy) { s.Alpha = 0 }, func(s *rollout.Strategy) { s.LatencyMax = 0.5 },
	} {
		bad := good
		spoil(&bad)
		_, err := w.SetStrategy(w.ctx, ana, "support", "production", bad, w.env("production").Rev)
		require.True(t, errs.Is(err, errs.Invalid), err)
	}
	_, err := w.SetStrategy(w.ctx, ana, "support", "production", good, 1)
	require.True(t, errs.Is(err, errs.Precondition), "an old revision is refused")
}
