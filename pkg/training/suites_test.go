package training_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/training"
)

func TestPlan_GivesTheModelsBenchmarksAsProtectedSuites(t *testing.T) {
	w := newWorld(t)
	v := w.lock(3)
	w.publish(5)
	plan, err := w.Plan(w.ctx, w.start().ID)
	require.NoError(t, err)
	folder := "runs/" + plan.Run + "/suites/general/"
	require.Contains(t, w.object(folder+"lock.json"), v.Lock())
	require.Equal(t, 3, strings.Count(w.object(folder+"items.jsonl"), "\n"))
}

func TestPlan_RefusesABenchmarkThatIsNotThereBeforeAnythingIsTrained(t *testing.T) {
	w := newWorld(t)
	w.publish(5)
	_, err := w.Plan(w.ctx, w.start().ID)
	require.True(t, errs.Is(err, errs.NotFound), err)
}

func TestPlan_ReferencesTheUnprotectedRunOfTheSameParentAndData(t *testing.T) {
	w := newWorld(t)
	w.lock(1)
	w.publish(5)
	bare, err := w.Service.Start(w.ctx, ana, training.StartInput{Model: "support", Preset: "naive"})
	require.NoError(t, err)
	folder := "runs/" + bare.ID + "/model/"
	w.folder(folder, "naive")
	_, err = w.objects.Put(w.ctx, folder+"eval_report.json", strings.NewReader("{}"), object.PutOptions{})
	require.NoError(t, err)
	_, err = w.Register(w.ctx, training.RegisterInput{Run: bare.ID, Job: "job", Artifact: "s3://b/" + folder})
	require.NoError(t, err)
	require.NoError(t, w.Fail(w.ctx, bare.ID, "the gate refused it"))

	careful := w.start()
	require.Contains(t, channels(t, w, careful.ID), "reference")
	require.JSONEq(t, `[{"prefix":"s3://b/`+folder+`"},"eval_report.json"]`, w.object("runs/"+careful.ID+"/reference.manifest"))

	require.NoError(t, w.Fail(w.ctx, careful.ID, "cut"))
	w.publish(5)
	require.NotContains(t, channels(t, w, w.start().ID), "reference", "other data was learned")
}

func channels(t *testing.T, w *world, run string) []string {
	plan, err := w.Plan(w.ctx, run)
	require.NoError(t, err)
	var names []string
	for _, c := range plan.Channels {
		names = append(names, c.ChannelName)
	}
	require.True(t, slices.IsSorted(names), names)
	return names
}

func TestPlanEvaluation_LeavesTheNetworkOnlyToJobsThatAskAJudge(t *testing.T) {
	w := newWorld(t)
	w.lock(2)
	_, plan := w.planned()
	require.True(t, plan.Jobs[0].Isolated)

	judged := benchmark.Version{Name: "general", Scorer: benchmark.Scorer{Kind: "llm_judge"}, Judge: &benchmark.Judge{Model: "acme.judge"}}
	judged.Items = []benchmark.Item{{ID: "1", Input: "q", Target: "a", Capability: "tone"}}
	_, err := w.catalog.AddBenchmark(w.ctx, ana, judged)
	require.NoError(t, err)
	plan, err = w.PlanEvaluation(w.ctx, plan.Run)
	require.NoError(t, err)
	require.False(t, plan.Jobs[0].Isolated)
}
