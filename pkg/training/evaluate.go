package training

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

// EvalJob is one evaluation that has to run: one model version on a set of locked benchmarks.
type EvalJob struct {
	Job      string    `json:"job"` // base of the job's name; the attempt is added to it
	Digest   string    `json:"digest"`
	Isolated bool      `json:"isolated"` // the job needs no network: nothing in it asks a judge
	Channels []Channel `json:"channels"`
	Output   string    `json:"output"` // S3 URI
}

// EvalPlan lists the evaluations of a run that have no results yet.
type EvalPlan struct {
	Run  string    `json:"run"`
	Set  string    `json:"set"` // digest of the benchmark locks
	Jobs []EvalJob `json:"jobs"`
}

// Evaluated is an evaluation with the place of its results.
type Evaluated struct {
	Digest   string `json:"digest"`   // of the model
	Artifact string `json:"artifact"` // S3 URI of the folder with results.jsonl
	// Means are the mean scores by benchmark and Locks what they were measured under; filled in when recorded.
	Means map[string]float64 `json:"means,omitempty"`
	Locks map[string]string  `json:"locks,omitempty"`
}

// PlanEvaluation decides what must be evaluated for a run: candidate, champion and the pinned
// anchor on the same locks.
// Results of an earlier run under the very same locks are used again.
func (s *Service) PlanEvaluation(ctx context.Context, id string) (EvalPlan, error) {
	run, err := s.Run(ctx, id)
	if err != nil {
		return EvalPlan{}, err
	}
	versions, err := s.benchmarks(ctx, run.Model)
	if err != nil {
		return EvalPlan{}, err
	}
	set := setDigest(versions)
	plan := EvalPlan{Run: id, Set: set, Jobs: []EvalJob{}}
	judged, err := s.judged(ctx, run)
	if err != nil {
		return plan, err
	}
	for _, v := range judged {
		if _, err := s.evaluation(ctx, v.Digest, set); err == nil {
			continue
		} else if !errs.Is(err, errs.NotFound) {
			return plan, err
		}
		job, err := s.evalJob(ctx, v, versions, set)
		if err != nil {
			return plan, err
		}
		plan.Jobs = append(plan.Jobs, job)
	}
	return plan, nil
}

func (s *Service) benchmarks(ctx context.Context, model string) ([]benchmark.Version, error) {
	m, err := s.Registry.Model(ctx, model)
	if err != nil {
		return nil, err
	}
	if len(m.Benchmarks) == 0 {
		return nil, errs.New(errs.Precondition, "model %s has no benchmarks: nothing could be shown", model).Mend("add benchmarks to the model")
	}
	var out []benchmark.Version
	for _, name := range m.Benchmarks {
		v, err := s.Catalog.Benchmark(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// setDigest is a digest over the names and locks of benchmarks.
func setDigest(vs []benchmark.Version) string {
	h := sha256.New()
	for _, v := range vs {
		fmt.Fprintf(h, "%s=%s\n", v.Name, v.Lock())
	}
	return hex.EncodeToString(h.Sum(nil))
}

func short(digest string) string { return strings.TrimPrefix(digest, "sha256:")[:12] }

func (s *Service) evalJob(ctx context.Context, v registry.Version, bs []benchmark.Version, set string) (EvalJob, error) {
	name := "ev-" + short(v.Digest) + "-" + short(set)
	prefix := "evaluations/" + name + "/"
	config := map[string]any{"schema": 1, "job": "evaluate", "seed": 17}
	if err := s.putJSON(ctx, prefix+"config/eval.json", config); err != nil {
		return EvalJob{}, err
	}
	if err := s.putBenchmarks(ctx, prefix+"benchmark/", bs); err != nil {
		return EvalJob{}, err
	}
	return EvalJob{Job: name, Digest: v.Digest, Isolated: !slices.ContainsFunc(bs, asksJudge), Output: s.Places.URI(strings.TrimSuffix(prefix, "/")), Channels: []Channel{
		channel("benchmark", s.Places.URI(prefix+"benchmark/")), channel("code", s.Places.Code),
		channel("config", s.Places.URI(prefix+"config/")), channel("model", s.Places.URI(v.Artifact))}}, nil
}

// asksJudge tells whether a benchmark's items are scored by a model outside of the job.
func asksJudge(v benchmark.Version) bool { return v.Scorer.Kind == "llm_judge" }

func evaluationKey(digest, set string) table.Key {
	return table.Key{PK: "EVALUATION#" + digest, SK: "SET#" + set}
}

func (s *Service) evaluation(ctx context.Context, digest, set string) (Evaluated, error) {
	return table.Load[Evaluated](ctx, s.Table, evaluationKey(digest, set))
}

// recordEvaluations remembers where results are, so that the next run need not make them again.
func (s *Service) recordEvaluations(ctx context.Context, set string, done []Evaluated) error {
	for _, e := range done {
		if err := s.measure(ctx, &e); err != nil {
			return err
		}
		_, err := s.Log.Commit(ctx, audit.Change{Actor: audit.System("training"), Type: "ModelEvaluated", Data: e,
			Subject: audit.Subject{Type: "evaluation", ID: e.Digest}, Ops: []table.Op{table.Save(evaluationKey(e.Digest, set), e, 0, nil)}})
		if err != nil && !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return nil
}
