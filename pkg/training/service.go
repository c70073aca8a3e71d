package training

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Workflow starts and stops executions of state machines. Start is idempotent by name.
type Workflow interface {
	Start(ctx context.Context, machine, name string, input any) (execution string, err error)
	Stop(ctx context.Context, execution, cause string) error
}

// Datasets is what training needs of pkg/dataset.
type Datasets interface {
	// Latest gives the newest published version; errs.NotFound when there is none.
	Latest(ctx context.Context, dataset string) (dataset.Version, error)
	Version(ctx context.Context, dataset string, n int) (dataset.Version, error)
}

// Deps is what a Service needs.
type Deps struct {
	Table    table.Table
	Log      audit.Committer
	Objects  object.Store
	Registry *registry.Service
	Datasets Datasets
	Catalog  *benchmark.Catalog
	Policy   gate.Policy
	Workflow Workflow
	Clock    ids.Clock
	IDs      ids.Source
	Logger   *slog.Logger
	Places   Places
}

// Places are the addresses that a job needs and that differ between hosts.
type Places struct {
	Bucket string // name of the bucket behind Objects
	Code   string // S3 URI of the training code
}

// URI gives the S3 address of an object key.
func (p Places) URI(key string) string { return "s3://" + p.Bucket + "/" + key }

// Service starts runs and follows them.
type Service struct{ Deps }

// New returns a service.
func New(d Deps) *Service { return &Service{d} }

func runKey(id string) table.Key     { return table.Key{PK: "RUN#" + id, SK: "META"} }
func lockKey(model string) table.Key { return table.Key{PK: "MODEL#" + model, SK: "LOCK"} }

func saveRun(r Run, rev int64) table.Op {
	return table.Save(runKey(r.ID), r, rev, map[table.Index]table.Key{
		table.GSI1: {PK: "RUNS#" + r.Model, SK: r.ID}, table.GSI2: {PK: "RUNS", SK: r.ID}})
}

// lock is the lease that keeps a model to one run at a time.
type lock struct {
	Run string `json:"run"`
	Rev int64  `json:"rev"`
}

// StartInput asks for a run.
type StartInput struct {
	Model  string
	Kind   TriggerKind
	Preset string // empty = the model's
	Reason string
	Seed   int64  // 0 = 17
	Key    string // idempotency; may be empty
}

// Start begins a run of a model on the data that its champion has not seen.
// errs.Held when another run of the model is in progress, errs.Precondition when there is nothing new.
func (s *Service) Start(ctx context.Context, by audit.Actor, in StartInput) (Run, error) {
	run, err := s.newRun(ctx, by, in)
	if err != nil {
		return run, err
	}
	event, err := s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "RunQueued", Subject: audit.Subject{Type: "run", ID: run.ID}, Reason: in.Reason,
		Data: run, Key: in.Key, Ops: []table.Op{saveRun(run, 0), table.Save(lockKey(run.Model), lock{Run: run.ID}, 0, nil)},
	})
	if errs.Is(err, errs.Conflict) {
		return run, s.held(ctx, run.Model)
	}
	if err != nil {
		return run, err
	}
	return s.launch(ctx, event.Subject.ID)
}

func (s *Service) held(ctx context.Context, model string) error {
	l, err := table.Load[lock](ctx, s.Table, lockKey(model))
	if err != nil {
		return errs.New(errs.Conflict, "another run of model %s began just now", model).Mend("try again")
	}
	return errs.New(errs.Held, "run %s of model %s is in progress", l.Run, model).
		Mend("wait for it or cancel it: one run per model at a time")
}

func (s *Service) newRun(ctx context.Context, by audit.Actor, in StartInput) (Run, error) {
	if err := registry.CheckPreset(in.Preset); err != nil {
		return Run{}, err
	}
	model, err := s.Registry.Model(ctx, in.Model)
	if err != nil {
		return Run{}, err
	}
	champion, err := s.Registry.Aliased(ctx, in.Model, registry.Champion)
	if err != nil {
		return Run{}, err
	}
	latest, err := s.news(ctx, model, champion)
	if err != nil {
		return Run{}, err
	}
	run := Run{
		ID: s.IDs("run"), Model: model.ID, Trigger: in.Kind, Reason: in.Reason, Actor: by, Seed: in.Seed,
		Preset: firstOf(in.Preset, model.Preset, "safe"), Parent: champion.Number, Status: Queued, Created: s.Clock(),
		Datasets: []registry.DatasetRef{{Dataset: model.Dataset, Number: latest.Number, Digest: latest.Digest}}, Rev: 1,
	}
	if run.Seed == 0 {
		run.Seed = 17
	}
	return run, nil
}

// news gives the dataset version to learn, refusing when the champion has seen all of it.
func (s *Service) news(ctx context.Context, m registry.Model, champion registry.Version) (dataset.Version, error) {
	latest, err := s.Datasets.Latest(ctx, m.Dataset)
	if err != nil {
		return latest, err
	}
	seen, err := s.seen(ctx, champion)
	if err != nil {
		return latest, err
	}
	if len(unseen(latest, seen)) == 0 {
		return latest, errs.New(errs.Precondition, "version %d of %s has learned all of dataset %s version %d",
			champion.Number, m.ID, m.Dataset, latest.Number).Mend("add data first")
	}
	return latest, nil
}

func firstOf(ss ...string) string {
	for _, s := range ss {
		if s != "" {
			return s
		}
	}
	return ""
}

// launch starts the run's execution. It may be called again after a crash: the name makes it idempotent.
func (s *Service) launch(ctx context.Context, id string) (Run, error) {
	run, err := s.Run(ctx, id)
	if err != nil || run.Status != Queued || run.Execution != "" {
		return run, err
	}
	arn, err := s.Workflow.Start(ctx, "train-model", run.ID, map[string]string{"run": run.ID})
	if err != nil {
		return run, fmt.Errorf("start train-model: %w", err)
	}
	return s.update(ctx, audit.System("training"), id, "RunStarted", func(r *Run) { r.Execution, r.Started = arn, s.Clock() })
}

// Run gives one run.
func (s *Service) Run(ctx context.Context, id string) (Run, error) {
	r, err := table.Load[Run](ctx, s.Table, runKey(id))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no run %q", id)
	}
	return r, err
}

// RunFilter selects runs; zero values select all.
type RunFilter struct {
	Model  string
	Limit  int
	Cursor string
}

// Runs lists runs, newest first, and gives the cursor to the next page.
func (s *Service) Runs(ctx context.Context, f RunFilter) ([]Run, string, error) {
	q := table.Query{Index: table.GSI2, PK: "RUNS", Descending: true, Limit: f.Limit, Cursor: f.Cursor}
	if f.Model != "" {
		q.Index, q.PK = table.GSI1, "RUNS#"+f.Model
	}
	return table.List[Run](ctx, s.Table, q)
}

// update changes a run that is not final, retrying when somebody else changed it meanwhile. Ending a
// run frees its model for the next one.
func (s *Service) update(ctx context.Context, by audit.Actor, id, event string, change func(*Run)) (Run, error) {
	for range 10 {
		run, err := s.Run(ctx, id)
		if err != nil || run.Status.Final() {
			return run, err
		}
		next := run
		change(&next)
		next.Rev++
		err = s.commit(ctx, by, event, run, next)
		if !errs.Is(err, errs.Conflict) {
			return next, err
		}
	}
	return Run{}, errs.New(errs.Unavailable, "run %s keeps changing", id)
}

func (s *Service) commit(ctx context.Context, by audit.Actor, event string, was, now Run) error {
	ops := []table.Op{saveRun(now, was.Rev)}
	if now.Status.Final() {
		ops = append(ops, table.Op{Kind: table.Delete, Item: table.Item{Key: lockKey(now.Model)}})
	}
	_, err := s.Log.Commit(ctx, audit.Change{Actor: by, Type: event, Subject: audit.Subject{Type: "run", ID: now.ID},
		Reason: now.Error, Data: now, Before: audit.JSON(was), After: audit.JSON(now), Ops: ops})
	return err
}

// Cancel stops a run for a reason. Canceling a run that has ended is errs.Conflict.
func (s *Service) Cancel(ctx context.Context, by audit.Actor, id, reason string) (Run, error) {
	run, err := s.Run(ctx, id)
	if err != nil {
		return run, err
	}
	if run.Status.Final() {
		return run, errs.New(errs.Conflict, "run %s has ended: %s", id, run.Status)
	}
	run, err = s.update(ctx, by, id, "RunCancelled", func(r *Run) { r.Status, r.Error, r.Ended = Cancelled, reason, s.Clock() })
	if err != nil || run.Execution == "" {
		return run, err
	}
	return run, s.Workflow.Stop(ctx, run.Execution, "cancelled: "+reason)
}

// Retry starts a new run with the settings of one that failed or was cancelled.
func (s *Service) Retry(ctx context.Context, by audit.Actor, id string) (Run, error) {
	old, err := s.Run(ctx, id)
	if err != nil {
		return old, err
	}
	if old.Status != Failed && old.Status != Cancelled {
		return old, errs.New(errs.Conflict, "run %s is %s", id, old.Status).Mend("only a failed or cancelled run can be tried again")
	}
	return s.Start(ctx, by, StartInput{Model: old.Model, Kind: ByHand, Preset: old.Preset, Seed: old.Seed, Reason: "retry of " + id})
}

// Fail records why a run failed and frees its model.
func (s *Service) Fail(ctx context.Context, id, cause string) error {
	_, err := s.update(ctx, audit.System("training"), id, "RunFailed", func(r *Run) { r.Status, r.Error, r.Ended = Failed, cause, s.Clock() })
	return err
}
