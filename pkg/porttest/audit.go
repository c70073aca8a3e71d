package porttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Audit is the suite of the one write path, the event log and its consumers over a store.
func Audit(t *testing.T, open OpenTable) {
	cases := map[string]func(*testing.T, *auditFixture){
		"Commit/all in one":                commitAll,
		"Commit/own condition":             commitOwnCondition,
		"Commit/replay gives the first":    commitReplay,
		"Commit/replay after the state":    commitReplayState,
		"Commit/several processes":         commitProcesses,
		"Commit/gives up":                  commitGivesUp,
		"Commit/bad changes":               commitBad,
		"Commit/largest":                   commitLargest,
		"Feed/in order":                    feedOrder,
		"Feed/wakes":                       feedWakes,
		"Trail/newest first and history":   trailPages,
		"Verify/untouched":                 verifyUntouched,
		"Verify/finds tampering":           verifyTampering,
		"Consumer/goes on where it was":    consumerResumes,
		"Consumer/retries":                 consumerRetries,
		"Consumer/dead letters":            consumerDead,
		"Consumer/interrupted":             consumerInterrupted,
		"Consumer/runs until told to stop": consumerRuns,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			f := &auditFixture{T: t, clock: clock, table: open(t, clock.Now), ids: ids.Sequence()}
			f.fresh = func(t *testing.T) table.Table { return open(t, clock.Now) }
			f.log = f.openLog()
			run(t, f)
		})
	}
}

type auditFixture struct {
	*testing.T
	clock *Clock
	table table.Table
	ids   ids.Source
	log   *audit.Log
	fresh func(t *testing.T) table.Table // another empty table of the store
}

// openLog is another process over the same table.
func (f *auditFixture) openLog() *audit.Log {
	log := audit.NewLog(f.table, f.clock.Now, f.ids)
	log.SetWait(noWait)
	return log
}

func noWait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

var ann = audit.Actor{ID: "usr_1", Name: "Ann"}

func change(id string, ops ...table.Op) audit.Change {
	return audit.Change{
		Actor: ann, Type: "RunStarted", Subject: audit.Subject{Type: "run", ID: id}, Reason: "new data <&>",
		Data: map[string]any{"rows": 12, "share": 0.1}, Before: json.RawMessage(`null`), After: json.RawMessage(`{"b": 1.0, "a": "ü"}`),
		Ops: ops,
	}
}

func (f *auditFixture) commit(c audit.Change) audit.Event {
	f.Helper()
	event, err := f.log.Commit(context.Background(), c)
	require.NoError(f, err)
	return event
}

func (f *auditFixture) commitN(n int) {
	f.Helper()
	for i := range n {
		f.commit(change(fmt.Sprintf("run_%d", i+1)))
	}
}

func (f *auditFixture) verify(anchor *audit.Head) audit.Report {
	f.Helper()
	report, err := f.log.Verify(context.Background(), anchor)
	require.NoError(f, err)
	return report
}

func commitAll(t *testing.T, f *auditFixture) {
	event := f.commit(change("run_1", put(doc(key("RUN", "1"), `{}`), when(table.NotExists))))
	require.Equal(t, audit.Event{
		Seq: 1, Type: "RunStarted", Time: f.clock.Now(), Actor: ann, Subject: audit.Subject{Type: "run", ID: "run_1"},
		Reason: "new data <&>", Data: json.RawMessage(`{"rows":12,"share":0.1}`),
	}, event)
	events, err := f.log.After(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []audit.Event{event}, events)
	entries, err := f.log.Entries(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "RunStarted", entries[0].Action)
	require.JSONEq(t, `{"b":1.0,"a":"ü"}`, string(entries[0].After))
	head, err := f.log.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, audit.Head{Seq: 1, Hash: entries[0].Hash, Time: event.Time}, head)
	_, err = f.table.Get(t.Context(), key("RUN", "1"), table.Consistent)
	require.NoError(t, err)
}

func commitOwnCondition(t *testing.T, f *auditFixture) {
	f.commitN(1)
	_, err := f.log.Commit(t.Context(), change("run_1",
		put(doc(key("RUN", "1"), `{}`), table.Cond{}),
		table.Op{Kind: table.Check, Item: table.Item{Key: key("LEASE", "1")}, If: when(table.Exists)}))
	requireCanceled(t, err, 1)
	_, err = f.table.Get(t.Context(), key("RUN", "1"), table.Consistent)
	require.Equal(t, errs.NotFound, errs.CodeOf(err))
	head, err := f.log.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), head.Seq, "a refused change leaves no event")
	f.commitN(1)
	require.True(t, f.verify(nil).OK)
}

func commitReplay(t *testing.T, f *auditFixture) {
	c := change("run_1", add(key("RUN", "count"), "n", 1))
	c.Key = "start run_1"
	first := f.commit(c)
	f.commitN(2)
	f.clock.Advance(24 * time.Hour)
	for _, log := range []*audit.Log{f.log, f.openLog()} {
		again, err := log.Commit(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
	it, err := f.table.Get(t.Context(), key("RUN", "count"), table.Consistent)
	require.NoError(t, err)
	require.Equal(t, int64(1), it.Num["n"])
}

// commitReplayState repeats a change whose own condition no longer holds because it took effect.
func commitReplayState(t *testing.T, f *auditFixture) {
	c := change("run_1", put(doc(key("RUN", "1"), `{}`), when(table.NotExists)))
	c.Key = "create run_1"
	require.Equal(t, f.commit(c), f.commit(c))
}

func commitProcesses(t *testing.T, f *auditFixture) {
	const processes, each = 4, 5
	logs := make([]*audit.Log, processes)
	for i := range logs {
		logs[i] = f.openLog()
		logs[i].SetWait(audit.Sleep)
	}
	fx := &fixture{T: t}
	fx.inParallel(processes*2, func(i int) {
		for n := range each {
			_, err := logs[i/2].Commit(t.Context(), change(fmt.Sprintf("run_%d_%d", i, n), add(key("RUN", "count"), "n", 1)))
			require.NoError(t, err)
		}
	})
	report := f.verify(nil)
	require.True(t, report.OK, "%+v", report.Problems)
	require.Equal(t, int64(processes*2*each), report.Checked)
	it, err := f.table.Get(t.Context(), key("RUN", "count"), table.Consistent)
	require.NoError(t, err)
	require.Equal(t, report.Checked, it.Num["n"])
}

// stubborn moves the head away before each write.
type stubborn struct {
	table.Table
	other *audit.Log
	tries int
}

func (s *stubborn) Write(ctx context.Context, token string, ops ...table.Op) error {
	s.tries++
	if _, err := s.other.Commit(ctx, change("other")); err != nil {
		return err
	}
	return s.Table.Write(ctx, token, ops...)
}

func commitGivesUp(t *testing.T, f *auditFixture) {
	s := &stubborn{Table: f.table, other: f.log}
	log := audit.NewLog(s, f.clock.Now, f.ids)
	log.SetWait(noWait)
	_, err := log.Commit(t.Context(), change("run_1"))
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
	require.Equal(t, 24, s.tries)
	require.True(t, f.verify(nil).OK)
}

func commitBad(t *testing.T, f *auditFixture) {
	for name, spoil := range map[string]func(*audit.Change){
		"no type":     func(c *audit.Change) { c.Type = "" },
		"no actor":    func(c *audit.Change) { c.Actor = audit.Actor{} },
		"no subject":  func(c *audit.Change) { c.Subject.ID = "" },
		"data":        func(c *audit.Change) { c.Data = make(chan int) },
		"before":      func(c *audit.Change) { c.Before = json.RawMessage(`{`) },
		"large after": func(c *audit.Change) { c.After = json.RawMessage(`"` + strings.Repeat("x", table.MaxItem) + `"`) },
		"many":        func(c *audit.Change) { c.Ops = make([]table.Op, 91) },
	} {
		c := change("run_1")
		spoil(&c)
		_, err := f.log.Commit(t.Context(), c)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), "%s: %v", name, err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.log.Commit(canceled, change("run_1"))
	require.ErrorIs(t, err, context.Canceled)
	f.commitN(1)
	require.True(t, f.verify(nil).OK)
}

func commitLargest(t *testing.T, f *auditFixture) {
	ops := make([]table.Op, 90)
	for i := range ops {
		ops[i] = put(doc(key("A", fmt.Sprint(i)), `{}`), when(table.NotExists))
	}
	c := change("run_1", ops...)
	c.Key = "large"
	f.commit(c)
	require.True(t, f.verify(nil).OK)
}

func feedOrder(t *testing.T, f *auditFixture) {
	f.commitN(12)
	seqs := func(after int64, limit int) (seqs []int64) {
		events, err := f.log.After(t.Context(), after, limit)
		require.NoError(t, err)
		for _, e := range events {
			seqs = append(seqs, e.Seq)
		}
		return seqs
	}
	require.Equal(t, []int64{1, 2, 3}, seqs(0, 3))
	require.Equal(t, []int64{10, 11, 12}, seqs(9, 0))
	require.Empty(t, seqs(12, 5))
	require.Equal(t, []int64{1}, seqs(-7, 1))
}

func feedWakes(t *testing.T, f *auditFixture) {
	changed := f.log.Changed()
	select {
	case <-changed:
		require.Fail(t, "nothing was committed")
	default:
	}
	f.commitN(1)
	<-changed
	require.NotEqual(t, changed, f.log.Changed())
}

func trailPages(t *testing.T, f *auditFixture) {
	f.commitN(5)
	f.commit(change("run_2"))
	entries, next, err := f.log.Latest(t.Context(), "", 4)
	require.NoError(t, err)
	require.Equal(t, int64(6), entries[0].Seq)
	entries, next, err = f.log.Latest(t.Context(), next, 4)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Empty(t, next)
	require.Eventually(t, func() bool {
		entries, _, err = f.log.History(t.Context(), audit.Subject{Type: "run", ID: "run_2"}, "", 10)
		require.NoError(t, err)
		return len(entries) == 2
	}, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, int64(6), entries[0].Seq)
	require.Equal(t, int64(2), entries[1].Seq)
}

var errBroken = errors.New("broken")
