package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

var errKilled = errors.New("killed")

// crash kills the process at one effect: before it, or after it with its answer lost. From then on nothing
// works until the process is started again.
type crash struct {
	at     int // effect that kills; 0 = none
	lost   bool
	mu     sync.Mutex // the quarantine file is written beside the shards
	effect int
	dead   bool
}

// do performs one effect.
func (c *crash) do(effect func() error) error {
	kill, dead := c.count()
	if !kill && !dead {
		return effect()
	}
	if kill && c.lost {
		_ = effect() // it happened, but nobody learns of it
	}
	return errKilled
}

func (c *crash) count() (kill, dead bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return false, true
	}
	c.effect++
	c.dead = c.effect == c.at
	return c.dead, false
}

type crashTable struct {
	table.Table
	*crash
}

func (c crashTable) Write(ctx context.Context, token string, ops ...table.Op) error {
	return c.do(func() error { return c.Table.Write(ctx, token, ops...) })
}

type crashStore struct {
	object.Store
	*crash
}

func (c crashStore) Put(ctx context.Context, key string, r io.Reader, opt object.PutOptions) (info object.Info, err error) {
	err = c.do(func() error { info, err = c.Store.Put(ctx, key, r, opt); return err })
	return info, err
}

type crashFlow struct {
	*machines
	*crash
}

func (c crashFlow) Start(ctx context.Context, machine, name string, input any) (arn string, err error) {
	err = c.do(func() error { arn, err = c.machines.Start(ctx, machine, name, input); return err })
	return arn, err
}

func (c crashFlow) Answer(ctx context.Context, token string, output any) error {
	return c.do(func() error { return c.machines.Answer(ctx, token, output) })
}

// story takes two files through admission, a decision and a retraction. Its calls are those that events,
// state machines and people repeat after a failure.
func story(w *world) error {
	ctx := w.t.Context()
	if err := ingest(ctx, w, "a.jsonl", faulty+pairs("a", 3), nil); err != nil {
		return err
	}
	err := ingest(ctx, w, "b.csv", mostlyBad, func(id string) error {
		if err := w.AwaitDecision(ctx, id, "token"); err != nil {
			return err
		}
		_, err := w.PublishValid(ctx, by, id, "good enough")
		if errs.Is(err, errs.Conflict) { // decided before
			err = w.Sweep(ctx)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = w.Retract(ctx, by, "support", 1, "poisoned")
	return err
}

func ingest(ctx context.Context, w *world, name, content string, decide func(id string) error) error {
	ing, err := w.Arrive(ctx, by, "support", dataset.IncomingKey("support", name), int64(len(content)), "")
	if err != nil {
		return err
	}
	out, err := w.Check(ctx, ing.ID)
	if err == nil && decide != nil {
		err = decide(ing.ID)
	}
	if err != nil || out.Status == dataset.Discarded {
		return err
	}
	_, err = w.Publish(ctx, ing.ID)
	return err
}

// ending is everything that must be the same however often the process was killed.
func ending(w *world) map[string]any {
	t := w.t
	versions, _, err := w.Versions(t.Context(), "support", 0, "")
	require.NoError(t, err)
	ingestions, _, err := w.Ingestions(t.Context(), dataset.Filter{})
	require.NoError(t, err)
	out := map[string]any{"answers": w.flow.answers}
	for _, v := range versions {
		out[fmt.Sprint("version ", v.Number)] = []any{v.Status, v.Digest, v.Rows, v.Added, v.Ingestion}
	}
	for _, i := range ingestions {
		out[i.ID] = []any{i.Status, i.Counts, i.DatasetVersion, i.ReportDigest, stepNames(i), i.Execution}
		sub, err := lineage.Graph{Table: w.table}.Walk(t.Context(), lineage.Node{Type: lineage.Object, ID: i.Object.Key}, lineage.Forward, 0)
		require.NoError(t, err)
		out[i.ID+" lineage"] = sub
	}
	events := map[string]int{}
	for _, e := range w.events() {
		events[e]++
	}
	out["events"] = events
	return out
}

func newCrashWorld(t *testing.T, c *crash) *world {
	w := newWorld(t, func(d *dataset.Deps) {
		d.Policy.ShardRows = 2
		d.IDs = ids.Sequence()
	})
	w.put("a.jsonl", faulty+pairs("a", 3))
	w.put("b.csv", mostlyBad)
	w.deps.Table, w.deps.Objects = crashTable{w.table, c}, crashStore{w.objects, c}
	w.deps.Workflow = crashFlow{w.flow, c}
	w.open()
	return w
}

// restart starts the process again; ids count from the beginning, so that digests can be compared.
func (w *world) restart(c *crash) {
	c.dead, c.at = false, 0
	w.deps.IDs = ids.Sequence()
	w.open()
}

func TestService_KilledAtAnyEffect_EndsInTheSameState(t *testing.T) {
	whole := &crash{}
	w := newCrashWorld(t, whole)
	require.NoError(t, story(w))
	want := ending(w)
	require.Greater(t, whole.effect, 20)
	for at := 1; at <= whole.effect; at++ {
		for _, lost := range []bool{false, true} {
			c := &crash{at: at, lost: lost}
			w := newCrashWorld(t, c)
			require.ErrorIs(t, story(w), errKilled, "effect %d", at)
			w.restart(c)
			require.NoError(t, story(w), "effect %d, answer lost: %v", at, lost)
			require.Equal(t, want, ending(w), "effect %d, answer lost: %v", at, lost)
		}
	}
	t.Logf("%d effects, each killed before and after", whole.effect)
}
