package training_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/training"
)

var ana = audit.Actor{ID: "usr_ana", Name: "ana"}

// world is a platform with everything but machines and datasets real.
type world struct {
	*training.Service
	t        *testing.T
	ctx      context.Context
	now      time.Time
	objects  object.Store
	registry *registry.Service
	catalog  *benchmark.Catalog
	versions []dataset.Version
	mu       sync.Mutex // guards started
	started  []string
	stopped  []string
	down     bool // machines cannot be started
}

func (w *world) Start(_ context.Context, machine, name string, _ any) (string, error) {
	if w.down {
		return "", errs.New(errs.Unavailable, "down")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if started := machine + "/" + name; !slices.Contains(w.started, started) { // starting is idempotent by name
		w.started = append(w.started, started)
	}
	return "arn:" + name, nil
}

func (w *world) Stop(_ context.Context, execution, _ string) error {
	w.stopped = append(w.stopped, execution)
	return nil
}

func (w *world) Latest(context.Context, string) (dataset.Version, error) {
	if len(w.versions) == 0 {
		return dataset.Version{}, errs.New(errs.NotFound, "none")
	}
	return w.versions[len(w.versions)-1], nil
}

func (w *world) Version(_ context.Context, _ string, n int) (dataset.Version, error) {
	return w.versions[n-1], nil
}

func newWorld(t *testing.T) *world {
	db, err := sqlite.OpenTemp()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	w := &world{t: t, ctx: t.Context(), now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	w.objects, err = files.Open(t.TempDir())
	require.NoError(t, err)
	clock := func() time.Time { return w.now }
	tab, newID := db.Table(clock), ids.Sequence()
	log := audit.NewLog(tab, clock, newID)
	w.registry = registry.New(registry.Deps{Table: tab, Log: log, Clock: clock})
	w.catalog = &benchmark.Catalog{Table: tab, Log: log, Objects: w.objects, Clock: clock}
	w.Service = training.New(training.Deps{Table: tab, Log: log, Objects: w.objects, Registry: w.registry, Datasets: w, Catalog: w.catalog,
		Policy: gate.OneMachinePolicy(), Workflow: w, Clock: clock, IDs: newID, Logger: slog.New(slog.DiscardHandler),
		Places: training.Places{Bucket: "b", Code: "s3://b/code/"}})
	w.setup()
	return w
}

// setup makes a model whose base learned dataset version 1.
func (w *world) setup() {
	w.publish(10)
	_, err := w.registry.CreateModel(w.ctx, ana, registry.Model{ID: "support", Dataset: "tickets", Benchmarks: []string{"general"},
		Train: json.RawMessage(`{"train":{"epochs":3}}`)})
	require.NoError(w.t, err)
	w.folder("base/", "base")
	v, err := w.Import(w.ctx, ana, training.ImportInput{Model: "support", Artifact: "base/", Reason: "base",
		Datasets: []registry.DatasetRef{{Dataset: "tickets", Number: 1, Digest: w.versions[0].Digest}}})
	require.NoError(w.t, err)
	require.Equal(w.t, 1, v.Number)
}

// publish adds a dataset version with one more shard of rows.
func (w *world) publish(rows int) {
	v := dataset.Version{Dataset: "tickets", Number: len(w.versions) + 1, Created: w.now}
	if len(w.versions) > 0 {
		last := w.versions[len(w.versions)-1]
		v.Shards, v.Rows = last.Shards, last.Rows
	}
	sha := fmt.Sprintf("%064d", v.Number)
	v.Shards = append(v.Shards[:len(v.Shards):len(v.Shards)], dataset.Shard{Key: "shards/" + sha + ".jsonl.gz", SHA256: sha, Rows: rows})
	v.Rows, v.Digest = v.Rows+rows, "sha256:"+sha
	w.versions = append(w.versions, v)
}

// folder puts a model folder with a manifest into the store.
func (w *world) folder(prefix, content string) {
	info, err := w.objects.Put(w.ctx, prefix+"model.safetensors", strings.NewReader(content), object.PutOptions{})
	require.NoError(w.t, err)
	m := map[string]any{"digest": benchmark.DigestBytes([]byte(content)), "metrics": map[string]any{"loss": 0.5, "stopped": false},
		"files": []map[string]any{{"path": "model.safetensors", "size": info.Size, "sha256": info.SHA256}}}
	b, err := json.Marshal(m)
	require.NoError(w.t, err)
	_, err = w.objects.Put(w.ctx, prefix+"manifest.json", strings.NewReader(string(b)), object.PutOptions{})
	require.NoError(w.t, err)
}

func (w *world) start() training.Run {
	run, err := w.Service.Start(w.ctx, ana, training.StartInput{Model: "support", Kind: training.ByHand})
	require.NoError(w.t, err)
	return run
}

func (w *world) object(key string) string {
	r, _, err := w.objects.Get(w.ctx, key, 0)
	require.NoError(w.t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(w.t, err)
	return string(b)
}

func TestStart_RefusesWhenThereIsNothingNew(t *testing.T) {
	w := newWorld(t)
	_, err := w.Service.Start(w.ctx, ana, training.StartInput{Model: "support"})
	require.True(t, errs.Is(err, errs.Precondition), err)
}

func TestStart_RefusesAPresetThatTheContainerDoesNotKnow(t *testing.T) {
	w := newWorld(t)
	w.publish(5)
	_, err := w.Service.Start(w.ctx, ana, training.StartInput{Model: "support", Preset: "magic"})
	require.True(t, errs.Is(err, errs.Invalid), err)
	require.ErrorContains(t, err, "use one of safe, knowledge")
	b, err := os.ReadFile("../../training/contract/run.schema.json")
	require.NoError(t, err)
	var schema struct {
		Properties struct{ Preset struct{ Enum []string } }
	}
	require.NoError(t, json.Unmarshal(b, &schema))
	require.Equal(t, schema.Properties.Preset.Enum, registry.Presets, "Go and Python know the same presets")
}

func TestStart_OneRunPerModelAtATime(t *testing.T) {
	w := newWorld(t)
	w.publish(5)
	run := w.start()
	_, err := w.Service.Start(w.ctx, ana, training.StartInput{Model: "support"})
	require.True(t, errs.Is(err, errs.Held), err)
	require.ErrorContains(t, err, run.ID)

	require.NoError(t, w.Fail(w.ctx, run.ID, "out of memory"))
	again, err := w.Retry(w.ctx, ana, run.ID)
	require.NoError(t, err)
	require.Equal(t, run.Preset, again.Preset)
}

func TestStart_IsIdempotentByKey(t *testing.T) {
	w := newWorld(t)
	w.publish(5)
	in := training.StartInput{Model: "support", Key: "k"}
	a, err := w.Service.Start(w.ctx, ana, in)
	require.NoError(t, err)
	b, err := w.Service.Start(w.ctx, ana, in)
	require.NoError(t, err)
	require.Equal(t, a.ID, b.ID)
	require.Len(t, w.started, 1)
}

func TestSweep_LaunchesARunWhoseStartWasInterrupted(t *testing.T) {
	w := newWorld(t)
	w.publish(5)
	w.down = true
	_, err := w.Service.Start(w.ctx, ana, training.StartInput{Model: "support"})
	require.Error(t, err)
	w.down = false
	require.NoError(t, w.Sweep(w.ctx))
	require.NoError(t, w.Sweep(w.ctx))
	require.Len(t, w.started, 1)
}

func TestCancel_StopsTheExecutionAndFreesTheModel(t *testing.T) {
	w := newWorld(t)
	w.publish(5)
	run := w.start()
	run, err := w.Cancel(w.ctx, ana, run.ID, "wrong data")
	require.NoError(t, err)
	require.Equal(t, training.Cancelled, run.Status)
	require.Equal(t, []string{"arn:" + run.ID}, w.stopped)
	_, err = w.Cancel(w.ctx, ana, run.ID, "again")
	require.True(t, errs.Is(err, errs.Conflict), err)
	_, err = w.Register(w.ctx, training.RegisterInput{Run: run.ID, Artifact: "s3://b/base/"})
	require.NoError(t, err)
	run, err = w.Run(w.ctx, run.ID)
	require.NoError(t, err)
	require.Equal(t, training.Cancelled, run.Status, "a late result does not bring a cancelled run back")
	w.start()
}

func TestPlan_TrainsOnTheUnseenAndReplaysTheSeen(t *testing.T) {
	w := newWorld(t)
	w.lock(1)
	w.publish(5)
	plan, err := w.Plan(w.ctx, w.start().ID)
	require.NoError(t, err)
	uris := map[string]string{}
	for _, c := range plan.Channels {
		uris[c.ChannelName] = c.DataSource.S3DataSource.S3Uri
	}
	prefix := "runs/" + plan.Run + "/"
	require.Equal(t, map[string]string{"code": "s3://b/code/", "config": "s3://b/" + prefix + "config/", "model": "s3://b/base/",
		"suites": "s3://b/" + prefix + "suites/", "train": "s3://b/" + prefix + "train.manifest", "replay": "s3://b/" + prefix + "replay.manifest"}, uris)
	require.JSONEq(t, `[{"prefix":"s3://b/"},"`+w.versions[1].Shards[1].Key+`"]`, w.object(prefix+"train.manifest"))
	require.JSONEq(t, `[{"prefix":"s3://b/"},"`+w.versions[0].Shards[0].Key+`"]`, w.object(prefix+"replay.manifest"))
	require.JSONEq(t, `{"schema":1,"job":"train","preset":"safe","seed":17,"train":{"epochs":3}}`, w.object(prefix+"config/run.json"))
}

func TestRegister_MakesTheNextVersionOnce(t *testing.T) {
	w := newWorld(t)
	w.publish(5)
	run := w.start()
	w.folder("runs/x/model/", "trained")
	in := training.RegisterInput{Run: run.ID, Job: "job", Artifact: "s3://b/runs/x/model/"}
	for range 2 {
		got, err := w.Register(w.ctx, in)
		require.NoError(t, err)
		require.Equal(t, 2, got.Candidate)
	}
	v, err := w.registry.Version(w.ctx, "support", 2)
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"loss": 0.5}, v.Metrics)
	require.Equal(t, 1, v.Parent)
	require.Equal(t, []string{registry.Challenger}, v.Aliases)
}

func TestRegister_RefusesADamagedArtifact(t *testing.T) {
	w := newWorld(t)
	w.publish(5)
	run := w.start()
	w.folder("runs/x/", "trained")
	_, err := w.objects.Put(w.ctx, "runs/x/model.safetensors", strings.NewReader("flipped"), object.PutOptions{})
	require.NoError(t, err)
	_, err = w.Register(w.ctx, training.RegisterInput{Run: run.ID, Artifact: "s3://b/runs/x/"})
	require.True(t, errs.Is(err, errs.Invalid), err)
	_, err = w.Register(w.ctx, training.RegisterInput{Run: run.ID, Artifact: "s3://b/runs/nothing/"})
	require.True(t, errs.Is(err, errs.NotFound), "Completed without an artifact is a failure")
}
