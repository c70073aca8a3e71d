package rollout_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

var (
	ana = audit.Actor{ID: "usr_ana", Name: "ana"}
	ben = audit.Actor{ID: "usr_ben", Name: "ben"}
	eve = audit.Actor{ID: "usr_eve", Name: "eve"}
)

// world is a platform with everything but machines and endpoints real.
type world struct {
	*rollout.Service
	t        *testing.T
	ctx      context.Context
	now      time.Time
	registry *registry.Service
	monitor  *monitor.Service
	started  []string          // machine/name
	stopped  []string          // executions
	answered map[string]any    // token → output
	serving  map[string]string // endpoint → digest that really answers; absent = the right one
	broken   map[string]bool   // digest → answers nonsense
}

func (w *world) Start(_ context.Context, machine, name string, _ any) (string, error) {
	w.started = append(w.started, machine+"/"+name)
	return "arn:" + machine + ":" + name, nil
}

func (w *world) Stop(_ context.Context, execution, _ string) error {
	w.stopped = append(w.stopped, execution)
	return nil
}

func (w *world) Answer(_ context.Context, token string, output any) error {
	if _, done := w.answered[token]; done {
		return errs.New(errs.NotFound, "no such token")
	}
	w.answered[token] = output
	return nil
}

func (w *world) Ask(_ context.Context, endpoint, prompt string) (rollout.Answer, error) {
	digest, ok := w.serving[endpoint]
	if !ok {
		hex := endpoint[strings.LastIndex(endpoint, "-")+1:]
		digest = "sha256:" + strings.Repeat(hex[:1], 64)
	}
	if w.broken[digest] {
		return rollout.Answer{Text: "zzz", Digest: digest}, nil
	}
	return rollout.Answer{Text: "answer to " + prompt, Digest: digest}, nil
}

func digest(n int) string { return "sha256:" + strings.Repeat(fmt.Sprintf("%x", n), 64) }

func newWorld(t *testing.T) *world {
	db, err := sqlite.OpenTemp()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	w := &world{t: t, ctx: t.Context(), now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
		answered: map[string]any{}, serving: map[string]string{}, broken: map[string]bool{}}
	clock := func() time.Time { return w.now }
	tab, newID := db.Table(clock), ids.Sequence()
	log := audit.NewLog(tab, clock, newID)
	w.registry = registry.New(registry.Deps{Table: tab, Log: log, Clock: clock})
	w.monitor = monitor.New(monitor.Deps{Table: tab, Clock: clock, Mask: func(s string) string { return s }})
	w.Service = rollout.New(rollout.Deps{Table: tab, Log: log, Registry: w.registry, Monitor: w.monitor, Workflow: w, Asker: w,
		Clock: clock, IDs: newID, Logger: slog.New(slog.DiscardHandler)})
	w.setup()
	return w
}

// setup makes a model whose version 1 is live everywhere and champion.
func (w *world) setup() {
	canned := []registry.Canned{}
	for i := range 5 {
		canned = append(canned, registry.Canned{Prompt: fmt.Sprintf("q%d", i), Contains: "answer"})
	}
	_, err := w.registry.CreateModel(w.ctx, ana, registry.Model{ID: "support", Dataset: "tickets", Canned: canned})
	require.NoError(w.t, err)
	require.NoError(w.t, w.Setup(w.ctx, ana, "support"))
	w.version(1, "PASS")
	w.through(w.request(1), "development", "staging", "production")
}

// version registers the next version with a verdict of the gate.
func (w *world) version(n int, verdict string) {
	v, err := w.registry.Register(w.ctx, ana, fmt.Sprintf("v%d", n), registry.Version{
		Model: "support", Digest: digest(n), Origin: registry.Trained, Run: fmt.Sprintf("run_%d", n), Artifact: fmt.Sprintf("m/%d/", n)})
	require.NoError(w.t, err)
	require.Equal(w.t, n, v.Number)
	require.NoError(w.t, w.registry.Judge(w.ctx, ana, "support", n, func(v *registry.Version) {
		v.Verdict, v.Report, v.Policy = verdict, fmt.Sprintf("sha256:report%d", n), "sha256:policy"
	}))
}

func (w *world) request(n int) rollout.Release {
	rel, err := w.Request(w.ctx, ana, rollout.RequestInput{Model: "support", Version: n, Reason: "test"})
	require.NoError(w.t, err)
	return rel
}

// through drives a release through environments as release-model does.
func (w *world) through(rel rollout.Release, envs ...string) {
	for _, env := range envs {
		p := w.prepared(rel, env)
		for step := 0; ; step++ {
			p.Step = step
			weight, err := w.Shift(w.ctx, p)
			require.NoError(w.t, err)
			w.traffic(env, rel.Digest, 60, 0)
			look, err := w.Judge(w.ctx, p)
			require.NoError(w.t, err)
			require.Equal(w.t, rollout.Advance, look.Verdict, look.Reason)
			if look.Last {
				require.Equal(w.t, 100, weight)
				break
			}
		}
		_, err := w.Finish(w.ctx, p)
		require.NoError(w.t, err)
	}
	if len(envs) == len(rel.Environments) {
		require.NoError(w.t, w.Close(w.ctx, rel.ID))
	}
}

func (w *world) prepared(rel rollout.Release, env string) rollout.Place {
	p := rollout.Place{Release: rel.ID, Environment: env}
	_, err := w.Prepare(w.ctx, p)
	require.NoError(w.t, err)
	require.NoError(w.t, w.Verify(w.ctx, p))
	return p
}

// traffic records n requests of which bad failed.
func (w *world) traffic(env, digest string, n, bad int) {
	for i := range n {
		require.NoError(w.t, w.monitor.Record(w.ctx, monitor.Observation{ID: fmt.Sprintf("cap_%s_%d_%d", digest, w.now.UnixNano(), i),
			Model: "support", Environment: env, Digest: digest, Time: w.now, Failed: i < bad, Latency: 20 * time.Millisecond, Tokens: 8}))
	}
}

func (w *world) env(name string) rollout.Environment {
	e, err := w.Environment(w.ctx, "support", name)
	require.NoError(w.t, err)
	return e
}

func (w *world) weights(env string) map[int]int {
	out := map[int]int{}
	for _, t := range w.env(env).Targets {
		out[t.Version] = t.Weight
	}
	return out
}

func (w *world) champion() int {
	v, err := w.registry.Version(w.ctx, "support", 0)
	require.NoError(w.t, err)
	return v.Number
}
