package porttest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// recorder is a handler that remembers, and fails for chosen events.
type recorder struct {
	seen []int64
	fail map[int64]int // sequence number → how often to fail
}

func (r *recorder) handle(_ context.Context, e audit.Event) error {
	r.seen = append(r.seen, e.Seq)
	if r.fail[e.Seq] > 0 {
		r.fail[e.Seq]--
		return fmt.Errorf("event %d: %w", e.Seq, errBroken)
	}
	return nil
}

func (f *auditFixture) consumer(h audit.Handler) *audit.Consumer {
	return &audit.Consumer{
		Name: "webhooks", Feed: f.log, Table: f.table, Clock: f.clock.Now, Handle: h, Changed: f.log.Changed, Wait: noWait, Batch: 3, Tries: 3,
	}
}

func (f *auditFixture) drain(c *audit.Consumer) {
	f.Helper()
	for {
		n, err := c.Step(f.Context())
		require.NoError(f, err)
		if n == 0 {
			return
		}
	}
}

func consumerResumes(t *testing.T, f *auditFixture) {
	r := &recorder{}
	f.commitN(5)
	f.drain(f.consumer(r.handle))
	f.commitN(2)
	f.drain(f.consumer(r.handle))
	require.Equal(t, []int64{1, 2, 3, 4, 5, 6, 7}, r.seen)

	late := &recorder{}
	c := f.consumer(late.handle)
	c.Name = "late"
	require.NoError(t, c.StartAt(t.Context(), 6))
	require.NoError(t, c.StartAt(t.Context(), 0), "a cursor that is there stays")
	f.drain(c)
	require.Equal(t, []int64{7}, late.seen)
}

func consumerRetries(t *testing.T, f *auditFixture) {
	r := &recorder{fail: map[int64]int{2: 2}}
	f.commitN(3)
	c := f.consumer(r.handle)
	f.drain(c)
	require.Equal(t, []int64{1, 2, 2, 2, 3}, r.seen)
	dead, _, err := c.Dead(t.Context(), "", 10)
	require.NoError(t, err)
	require.Empty(t, dead)
}

func consumerDead(t *testing.T, f *auditFixture) {
	r := &recorder{fail: map[int64]int{2: 4, 3: 3}}
	f.commitN(4)
	c := f.consumer(r.handle)
	f.drain(c)
	require.Equal(t, []int64{1, 2, 2, 2, 3, 3, 3, 4}, r.seen, "the following events go on")
	dead, _, err := c.Dead(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, dead, 2)
	require.Equal(t, int64(2), dead[0].Event.Seq)
	require.Contains(t, dead[0].Error, "broken")

	require.ErrorIs(t, c.Replay(t.Context(), 2), errBroken, "it fails a fourth time")
	dead, _, err = c.Dead(t.Context(), "", 10)
	require.NoError(t, err)
	require.Equal(t, 4, dead[0].Tries)
	require.NoError(t, c.Replay(t.Context(), 2))
	require.Equal(t, errs.NotFound, errs.CodeOf(c.Replay(t.Context(), 2)))
	require.NoError(t, c.Discard(t.Context(), 3))
	dead, _, err = c.Dead(t.Context(), "", 10)
	require.NoError(t, err)
	require.Empty(t, dead)
}

// consumerInterrupted stops in the middle of a batch: its events come again, none is lost or dead.
func consumerInterrupted(t *testing.T, f *auditFixture) {
	f.commitN(3)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := f.consumer(func(ctx context.Context, e audit.Event) error {
		if e.Seq == 2 {
			cancel()
			return ctx.Err()
		}
		return nil
	}).Step(ctx)
	require.ErrorIs(t, err, context.Canceled)
	r := &recorder{}
	c := f.consumer(r.handle)
	f.drain(c)
	require.Equal(t, []int64{1, 2, 3}, r.seen)
	dead, _, err := c.Dead(t.Context(), "", 10)
	require.NoError(t, err)
	require.Empty(t, dead)
}

func consumerRuns(t *testing.T, f *auditFixture) {
	ctx, cancel := context.WithCancel(t.Context())
	handled := make(chan int64)
	done := make(chan error)
	c := f.consumer(func(_ context.Context, e audit.Event) error { handled <- e.Seq; return nil })
	go func() { done <- c.Run(ctx) }()
	for want := int64(1); want <= 3; want++ {
		f.commitN(1)
		require.Equal(t, want, <-handled)
	}
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}
