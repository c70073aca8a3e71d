package training_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/training"
)

// lock adds the benchmark that guards the model.
func (w *world) lock(items int) benchmark.Version {
	v := benchmark.Version{Name: "general", Scorer: benchmark.Scorer{Kind: "exact"}}
	for i := range items {
		v.Items = append(v.Items, benchmark.Item{ID: fmt.Sprint(i), Input: fmt.Sprint("question ", i), Target: "yes", Capability: "knowledge"})
	}
	_, err := w.catalog.AddBenchmark(w.ctx, ana, v)
	require.NoError(w.t, err)
	return v
}

// evaluated writes results in which all but the first wrong items are right, as an evaluation job does.
func (w *world) evaluated(job training.EvalJob, v benchmark.Version, wrong int) training.Evaluated {
	var out strings.Builder
	for i, it := range v.Items {
		score := 1
		if i < wrong {
			score = 0
		}
		fmt.Fprintf(&out, `{"benchmark":%q,"lock":%q,"capability":"knowledge","item":%q,"score":%d}`+"\n", v.Name, v.Lock(), it.ID, score)
	}
	_, err := w.objects.Put(w.ctx, strings.TrimPrefix(job.Output, "s3://b/")+"/results.jsonl", strings.NewReader(out.String()), object.PutOptions{})
	require.NoError(w.t, err)
	return training.Evaluated{Digest: job.Digest, Artifact: job.Output}
}

// train runs the model once: the candidate gets the wrong items wrong, and so does every version that has no
// results yet.
func (w *world) train(v benchmark.Version, wrong ...int) (training.Run, gate.Report) {
	run, plan := w.planned()
	require.Len(w.t, plan.Jobs, len(wrong), "versions without results under these locks")
	done := make([]training.Evaluated, len(wrong))
	for i, job := range plan.Jobs {
		done[i] = w.evaluated(job, v, wrong[i])
	}
	judgement, err := w.Judge(w.ctx, training.JudgeInput{Run: run.ID, Set: plan.Set, Done: done})
	require.NoError(w.t, err)
	return run, w.report(judgement)
}

// planned trains a candidate and plans its evaluation.
func (w *world) planned() (training.Run, training.EvalPlan) {
	w.publish(5)
	w.shards()
	run := w.start()
	folder := "runs/" + run.ID + "/"
	w.folder(folder, strings.Repeat("x", 10+len(w.versions)))
	_, err := w.Register(w.ctx, training.RegisterInput{Run: run.ID, Job: "job", Artifact: "s3://b/" + folder})
	require.NoError(w.t, err)
	plan, err := w.PlanEvaluation(w.ctx, run.ID)
	require.NoError(w.t, err)
	return run, plan
}

func (w *world) report(j training.Judgement) gate.Report {
	r, err := w.Report(w.ctx, j.Report, "json")
	require.NoError(w.t, err)
	defer r.Close()
	body, err := io.ReadAll(r)
	require.NoError(w.t, err)
	var out gate.Report
	require.NoError(w.t, json.Unmarshal(body, &out))
	return out
}

// shards gives every published shard a row.
func (w *world) shards() {
	for _, s := range w.versions[len(w.versions)-1].Shards {
		var zipped strings.Builder
		zw := gzip.NewWriter(&zipped)
		_, err := zw.Write([]byte(`{"prompt":"hello","completion":"there"}`))
		require.NoError(w.t, err)
		require.NoError(w.t, zw.Close())
		_, err = w.objects.Put(w.ctx, s.Key, strings.NewReader(zipped.String()), object.PutOptions{})
		require.NoError(w.t, err)
	}
}

// promote makes a run's candidate the champion and ends the run.
func (w *world) promote(run training.Run) {
	got, err := w.Run(w.ctx, run.ID)
	require.NoError(w.t, err)
	require.NoError(w.t, w.registry.SetAlias(w.ctx, ana, "support", "champion", got.Candidate, "better"))
	require.NoError(w.t, w.Conclude(w.ctx, run.ID, "", ""))
}

func TestJudge_ComparesWithThePinnedAnchorAndWithEveryPromotedVersion(t *testing.T) {
	w := newWorld(t)
	v := w.lock(400)
	run, first := w.train(v, 0, 8) // base and candidate
	require.Equal(t, 0.0, first.Anchor.Delta-first.Pooled.Delta, "the first anchor is the base, which is champion too")
	require.Equal(t, 1, first.Forgetting.Versions)
	require.InDelta(t, -0.02, first.Forgetting.BWT, 1e-9)
	w.promote(run)

	_, second := w.train(v, 20) // the champion's and the base's results are known
	require.InDelta(t, -12.0/400, second.Pooled.Delta, 1e-9)
	require.InDelta(t, -20.0/400, second.Anchor.Delta, 1e-9, "small concessions add up")
	require.Equal(t, gate.Pass, second.Pooled.Verdict)
	require.Equal(t, gate.Inconclusive, second.Anchor.Verdict)
	require.NotEmpty(t, second.Digests.Anchor)
	require.Equal(t, 2, second.Forgetting.Versions)
	require.InDelta(t, -0.05, second.Forgetting.BWT, 1e-9)
	require.InDelta(t, 0.05, second.Forgetting.Benchmarks["general"], 1e-9)
}

func TestJudge_MeasuresAnchorAgainUnderNewLocks(t *testing.T) {
	w := newWorld(t)
	run, _ := w.train(w.lock(400), 0, 8)
	w.promote(run)
	_, report := w.train(w.lock(401), 8, 9, 0) // champion, candidate, anchor
	require.Equal(t, 401, report.Anchor.N)
	require.InDelta(t, -9.0/401, report.Anchor.Delta, 1e-9)
	require.Equal(t, 2, report.Forgetting.Versions)
}

func TestJudge_NamesThePartInWhichUnequalLocksDiffer(t *testing.T) {
	w := newWorld(t)
	old := w.lock(400)
	now := w.lock(401)
	run, plan := w.planned()
	done := []training.Evaluated{w.evaluated(plan.Jobs[0], old, 0), w.evaluated(plan.Jobs[1], now, 0)}
	_, err := w.Judge(w.ctx, training.JudgeInput{Run: run.ID, Set: plan.Set, Done: done})
	require.True(t, errs.Is(err, errs.Invalid))
	require.ErrorContains(t, err, "they differ in items")
	require.ErrorContains(t, err, "evaluate the incumbent again on general under lock "+benchmark.ShortLock(now.Lock()))
}

func TestJudge_TakesTheAnchorThatTheModelPins(t *testing.T) {
	w := newWorld(t)
	v := w.lock(400)
	run, _ := w.train(v, 0, 8)
	w.promote(run)
	m, err := w.registry.Model(w.ctx, "support")
	require.NoError(t, err)
	m.Anchor = 2
	_, err = w.registry.UpdateModel(w.ctx, ana, m)
	require.NoError(t, err)
	_, report := w.train(v, 20)
	require.InDelta(t, -12.0/400, report.Anchor.Delta, 1e-9)
}

func encoded(t *testing.T, policy gate.Policy) []byte {
	body, err := json.Marshal(policy)
	require.NoError(t, err)
	return body
}

func TestSetPolicy_JudgesByTheModelsOwnNewestVersion(t *testing.T) {
	w := newWorld(t)
	policy := gate.OneMachinePolicy()
	policy.Name, policy.Pooled.MarginPP = "ours", 50
	holds, err := w.GatePolicy(w.ctx, "support")
	require.NoError(t, err)
	require.Zero(t, holds.Number, "the host's default")
	for _, want := range []int{1, 1} {
		got, err := w.SetPolicy(w.ctx, ana, "support", 0, encoded(t, policy), "our margins")
		require.NoError(t, err)
		require.Equal(t, want, got.Number, "the same policy is the same version")
	}
	policy.Pooled.MarginPP = 40
	_, err = w.SetPolicy(w.ctx, ana, "support", 0, encoded(t, policy), "from what was seen long ago")
	require.True(t, errs.Is(err, errs.Precondition), err)
	got, err := w.SetPolicy(w.ctx, ana, "support", 1, encoded(t, policy), "stricter")
	require.NoError(t, err)
	require.Equal(t, 2, got.Number)
	holds, err = w.GatePolicy(w.ctx, "support")
	require.NoError(t, err)
	require.Equal(t, got, holds)

	_, report := w.train(w.lock(400), 0, 8)
	require.Equal(t, got.Digest, report.Digests.Policy)
	require.Equal(t, 40.0, report.Policy.Pooled.MarginPP)
	all, err := w.Policies(w.ctx, "support")
	require.NoError(t, err)
	require.Len(t, all, 2)

	_, err = w.SetPolicy(w.ctx, ana, "support", 2, []byte(`{"schema":"gate-policy/v1","alpha":7}`), "")
	require.True(t, errs.Is(err, errs.Invalid), err)
	_, err = w.SetPolicy(w.ctx, ana, "nobody", 0, encoded(t, policy), "")
	require.True(t, errs.Is(err, errs.NotFound), err)
}
