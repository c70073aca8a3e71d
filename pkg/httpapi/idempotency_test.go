package httpapi_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/training"
)

// gatedRuns lets a test hold a start in mid-air.
type gatedRuns struct {
	httpapi.RunActions
	mu     sync.Mutex
	starts int
	begun  chan struct{}
	goOn   chan struct{}
	fail   error
}

func (g *gatedRuns) Start(ctx context.Context, by audit.Actor, in training.StartInput) (training.Run, error) {
	g.mu.Lock()
	g.starts++
	fail := g.fail
	g.mu.Unlock()
	if g.begun != nil {
		g.begun <- struct{}{}
		<-g.goOn
	}
	if fail != nil {
		return training.Run{}, fail
	}
	return training.Run{ID: "run_1", Model: in.Model, Trigger: in.Kind, Actor: by, Preset: "safe", Status: training.Queued, Reason: in.Reason}, nil
}

func gated(t *testing.T, g *gatedRuns) *world {
	return newWorld(t, func(d *httpapi.Deps) { d.RunActions = g })
}

func TestIdempotency_TheSameRequestAnswersTheSameAndRunsOnce(t *testing.T) {
	g := &gatedRuns{}
	w := gated(t, g)
	start := func(body, key string) answer { return w.call("mel", "POST", "/v1/runs", body, "Idempotency-Key", key) }
	first := start(`{"model":"support"}`, "k")
	require.Equal(t, 202, first.StatusCode, "%s", first.body)
	again := start(`{"model":"support"}`, "k")
	require.Equal(t, 202, again.StatusCode)
	require.Equal(t, string(first.body), string(again.body))
	require.Equal(t, "/v1/runs/run_1", again.Header.Get("Location"))
	require.Equal(t, "true", again.Header.Get("Idempotency-Replayed"))
	require.Equal(t, 1, g.starts)

	other := start(`{"model":"another"}`, "k").problem(t)
	require.Equal(t, 422, other.Status)
	require.Contains(t, other.Hint.Value, "new key")
	require.Equal(t, 202, w.call("ana", "POST", "/v1/runs", `{"model":"another"}`, "Idempotency-Key", "k").StatusCode, "keys are the caller's own")
	require.Equal(t, 2, g.starts)

	w.clock.Advance(25 * time.Hour)
	w.signIn("mel", password)
	require.Equal(t, 202, start(`{"model":"another"}`, "k").StatusCode, "a day later the key is free")
}

func TestIdempotency_ASecondRequestWhileTheFirstRunsIsAConflict(t *testing.T) {
	g := &gatedRuns{begun: make(chan struct{}), goOn: make(chan struct{})}
	w := gated(t, g)
	start := func() answer { return w.call("mel", "POST", "/v1/runs", `{"model":"support"}`, "Idempotency-Key", "k") }
	done := make(chan answer)
	go func() { done <- start() }()
	<-g.begun
	second := start().problem(t)
	require.Equal(t, 409, second.Status)
	require.Contains(t, second.Detail, "still running")
	close(g.goOn)
	require.Equal(t, 202, (<-done).StatusCode)
}

func TestIdempotency_AFailedRequestFreesItsKey(t *testing.T) {
	g := &gatedRuns{fail: errs.New(errs.Held, "run run_9 is in progress")}
	w := gated(t, g)
	start := func() answer { return w.call("mel", "POST", "/v1/runs", `{"model":"support"}`, "Idempotency-Key", "k") }
	require.Equal(t, 423, start().problem(t).Status)
	g.fail = nil
	require.Equal(t, 202, start().StatusCode)
}

func TestIdempotency_TheCoreGetsAKeyOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.model()
	w.upload("dan", "b.jsonl", rowsOf(40, 60))
	a := w.call("mel", "POST", "/v1/runs", `{"model":"support","reason":"new prices"}`, "Idempotency-Key", "k")
	require.Equal(t, 202, a.StatusCode, "%s", a.body)
	require.Len(t, w.started, 1)
	b := w.call("mel", "POST", "/v1/runs", `{"model":"support","reason":"new prices"}`, "Idempotency-Key", "k")
	require.Equal(t, string(a.body), string(b.body))
	require.Len(t, w.started, 1)
}
