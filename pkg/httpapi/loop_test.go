package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-faster/jx"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// All calls go through the generated client, which refuses answers that the spec does not allow.

// problem gives the problem that an answer was.
func problem(t *testing.T, err error) *oas.ProblemStatusCodeWithHeaders {
	t.Helper()
	var p *oas.ProblemStatusCodeWithHeaders
	require.ErrorAs(t, err, &p)
	return p
}

func TestLoop_DataFromUploadToDiff(t *testing.T) {
	w := newWorld(t)
	c := w.typed("dan")
	_, err := c.CreateDataset(w.ctx, &oas.DatasetNew{ID: "tickets", Licence: oas.NewOptString("internal")})
	require.NoError(t, err)
	w.upload("dan", "a.jsonl", rowsOf(0, 30))
	w.upload("dan", "b.jsonl", rowsOf(20, 50)+"not json\n")

	sets, err := c.ListDatasets(w.ctx)
	require.NoError(t, err)
	require.Equal(t, 2, sets.Items[0].Latest)
	require.Equal(t, 50, sets.Items[0].Rows)
	ings, err := c.ListIngestions(w.ctx, oas.ListIngestionsParams{Limit: oas.NewOptInt(1)})
	require.NoError(t, err)
	require.Len(t, ings.Items, 1)
	require.True(t, ings.NextCursor.Set)
	ing, err := c.GetIngestion(w.ctx, oas.GetIngestionParams{Ingestion: ings.Items[0].ID})
	require.NoError(t, err)
	require.Equal(t, oas.IngestionCounts{Rows: 31, Accepted: 20, Duplicates: 10, Rejected: 1}, ing.Counts)
	require.Equal(t, oas.IngestionStatusPublished, ing.Status)

	versions, err := c.ListDatasetVersions(w.ctx, oas.ListDatasetVersionsParams{Dataset: "tickets"})
	require.NoError(t, err)
	require.Equal(t, 2, versions.Items[0].Number)
	v, err := c.GetDatasetVersion(w.ctx, oas.GetDatasetVersionParams{Dataset: "tickets", Number: 2})
	require.NoError(t, err)
	require.NotEmpty(t, v.Shards)
	diff, err := c.DiffDatasetVersions(w.ctx, oas.DiffDatasetVersionsParams{Dataset: "tickets", Base: 1, Other: 2})
	require.NoError(t, err)
	require.Equal(t, 20, diff.Added)
	sample, err := c.SampleDatasetVersion(w.ctx, oas.SampleDatasetVersionParams{Dataset: "tickets", Number: 2, Rows: oas.NewOptInt(5)})
	require.NoError(t, err)
	require.Len(t, sample.Rows, 5)
	require.Equal(t, 50, sample.Total)

	rejects := w.call("dan", "GET", "/v1/ingestions/"+ing.ID+"/rejects", "")
	require.Contains(t, string(rejects.body), "not json")
	require.Equal(t, `attachment; filename=b-rejected.jsonl`, rejects.Header.Get("Content-Disposition"))

	line, err := c.GetLineage(w.ctx, oas.GetLineageParams{Node: "datasetVersion:tickets@2"})
	require.NoError(t, err)
	require.NotEmpty(t, line.Edges)
	retracted, err := c.RetractDatasetVersion(w.ctx, &oas.Reason{Reason: "wrong prices"}, oas.RetractDatasetVersionParams{Dataset: "tickets", Number: 2})
	require.NoError(t, err)
	require.Equal(t, oas.DatasetVersionStatusRetracted, retracted.Status)
}

func TestLoop_AQuarantinedFileIsDecidedByAPerson(t *testing.T) {
	w := newWorld(t)
	c := w.typed("dan")
	_, err := c.CreateDataset(w.ctx, &oas.DatasetNew{ID: "tickets"})
	require.NoError(t, err)
	bad := strings.Repeat("nonsense\n", 5) + rowsOf(0, 2)
	one := w.upload("dan", "a.jsonl", bad)
	two := w.upload("dan", "b.jsonl", bad+rowsOf(2, 3))
	over, err := c.GetOverview(w.ctx)
	require.NoError(t, err)
	require.Len(t, over.NeedsMe, 2)
	require.Equal(t, oas.NeedKindIngestion, over.NeedsMe[0].Kind)
	require.Equal(t, oas.StageHealthAttention, over.Stages[0].Health)
	viewer, err := w.typed("vic").GetOverview(w.ctx)
	require.NoError(t, err)
	require.Empty(t, viewer.NeedsMe, "nothing that a viewer could do")

	got, err := c.PublishIngestion(w.ctx, &oas.Reason{Reason: "two good rows"}, oas.PublishIngestionParams{Ingestion: one.ID})
	require.NoError(t, err)
	require.Equal(t, oas.IngestionStatusPublishing, got.Status)
	got, err = c.DiscardIngestion(w.ctx, &oas.Reason{Reason: "test file"}, oas.DiscardIngestionParams{Ingestion: two.ID})
	require.NoError(t, err)
	require.Equal(t, oas.IngestionStatusDiscarded, got.Status)
}

func TestLoop_AModelLearnsAndItsRunIsWatched(t *testing.T) {
	w := newWorld(t)
	w.model()
	w.upload("dan", "b.jsonl", rowsOf(40, 60))
	c := w.typed("mel")
	trig, err := c.GetTrigger(w.ctx, oas.GetTriggerParams{Model: "support"})
	require.NoError(t, err)
	trig, err = c.SetTrigger(w.ctx, &oas.TriggerChange{Enabled: true, MinRows: 100, Debounce: 60, Cooldown: 600, Schedule: oas.NewOptString("rate(1 day)")},
		oas.SetTriggerParams{Model: "support", IfMatch: oas.NewOptString(trig.ETag)})
	require.NoError(t, err)
	require.True(t, trig.Response.NextRun.Set)
	_, err = c.SetTrigger(w.ctx, &oas.TriggerChange{MinRows: 1}, oas.SetTriggerParams{Model: "support", IfMatch: oas.NewOptString(`"0"`)})
	require.Equal(t, 412, problem(t, err).StatusCode)

	run, err := c.StartRun(w.ctx, &oas.RunNew{Model: "support"}, oas.StartRunParams{IdempotencyKey: oas.NewOptString("1")})
	require.NoError(t, err)
	id := run.Response.ID
	_, err = c.StartRun(w.ctx, &oas.RunNew{Model: "support"}, oas.StartRunParams{IdempotencyKey: oas.NewOptString("2")})
	require.Equal(t, 423, problem(t, err).StatusCode, "one run per model at a time")
	runs, err := c.ListRuns(w.ctx, oas.ListRunsParams{Status: oas.NewOptRunStatus(oas.RunStatusQueued)})
	require.NoError(t, err)
	require.Len(t, runs.Items, 1)
	none, err := c.ListRuns(w.ctx, oas.ListRunsParams{Status: oas.NewOptRunStatus(oas.RunStatusFailed)})
	require.NoError(t, err)
	require.Empty(t, none.Items)
	steps, err := c.ListRunSteps(w.ctx, oas.ListRunStepsParams{Run: id})
	require.NoError(t, err)
	require.Equal(t, oas.WorkflowStepStatusRunning, steps.Items[0].Status)
	logs, err := c.GetRunLogs(w.ctx, oas.GetRunLogsParams{Run: id})
	require.NoError(t, err)
	require.Empty(t, logs.Lines, "no job yet")
	over, err := c.GetOverview(w.ctx)
	require.NoError(t, err)
	require.Equal(t, oas.StageHealthActive, over.Stages[1].Health)
	require.Equal(t, id, over.Models[0].Run.Value.ID)
	require.NotEmpty(t, over.Next)

	got, err := c.CancelRun(w.ctx, &oas.Reason{Reason: "too early"}, oas.CancelRunParams{Run: id})
	require.NoError(t, err)
	require.Equal(t, oas.RunStatusCancelled, got.Status)
	over, err = c.GetOverview(w.ctx)
	require.NoError(t, err)
	require.Equal(t, "the last run of Support model was cancelled", over.Stages[1].Summary)
	again, err := c.RetryRun(w.ctx, oas.RetryRunParams{Run: id, IdempotencyKey: oas.NewOptString("3")})
	require.NoError(t, err)
	require.Equal(t, "/v1/runs/"+again.Response.ID, again.Location)
}

// release brings version 1 to an environment as release-model does.
func (w *world) release(id string, envs ...string) {
	w.t.Helper()
	for _, env := range envs {
		p := rollout.Place{Release: id, Environment: env}
		_, err := w.rollout.Prepare(w.ctx, p)
		require.NoError(w.t, err)
		require.NoError(w.t, w.rollout.Verify(w.ctx, p))
		for p.Step = 0; ; p.Step++ {
			_, err := w.rollout.Shift(w.ctx, p)
			require.NoError(w.t, err)
			w.traffic(env, 60)
			look, err := w.rollout.Judge(w.ctx, p)
			require.NoError(w.t, err)
			if look.Last {
				break
			}
		}
		_, err = w.rollout.Finish(w.ctx, p)
		require.NoError(w.t, err)
	}
	require.NoError(w.t, w.rollout.Close(w.ctx, id))
}

func (w *world) traffic(env string, n int) {
	e, err := w.rollout.Environment(w.ctx, "support", env)
	require.NoError(w.t, err)
	for _, target := range e.Targets {
		for i := range n {
			require.NoError(w.t, w.monitor.Record(w.ctx, monitor.Observation{ID: fmt.Sprintf("cap_%s_%d_%d", target.Digest[7:9], w.clock.Now().UnixNano(), i),
				Model: "support", Environment: env, Digest: target.Digest, Time: w.clock.Now(), Latency: 20 * time.Millisecond, Tokens: 8,
				Prompt: "hi", Answer: "answer", Status: 200}))
		}
	}
	w.clock.Advance(time.Minute)
}

func TestLoop_ApprovedReleasedWatchedAndRolledBack(t *testing.T) {
	w := newWorld(t)
	w.model()
	ana, ben, mel := w.typed("ana"), w.typed("ben"), w.typed("mel")
	envs := []string{"development", "staging", "production"}
	rel, err := ana.RequestRelease(w.ctx, &oas.ReleaseNew{Model: "support", Version: 1}, oas.RequestReleaseParams{IdempotencyKey: oas.NewOptString("1")})
	require.NoError(t, err)
	w.release(rel.Response.ID, envs...)
	w.version("2", "PASS")
	rel, err = ana.RequestRelease(w.ctx, &oas.ReleaseNew{Model: "support", Version: 2, Reason: oas.NewOptString("knows the new prices")},
		oas.RequestReleaseParams{IdempotencyKey: oas.NewOptString("2")})
	require.NoError(t, err)

	over, err := ben.GetOverview(w.ctx)
	require.NoError(t, err)
	require.Equal(t, oas.NeedKindApproval, over.NeedsMe[0].Kind)
	require.Equal(t, "Decide on version 2 of Support model", over.NeedsMe[0].Title)
	require.Equal(t, "version 1 of Support model is released", over.Stages[4].Summary)
	pending, err := ben.ListApprovals(w.ctx, oas.ListApprovalsParams{Status: oas.NewOptApprovalStatus(oas.ApprovalStatusPending)})
	require.NoError(t, err)
	app, err := ben.GetApproval(w.ctx, oas.GetApprovalParams{Approval: rel.Response.Approval.Value})
	require.NoError(t, err)
	require.Contains(t, pending.Items, *app)
	stale := app.Binding
	stale.Candidate = digest("9")
	_, err = ben.DecideApproval(w.ctx, &oas.DecisionNew{Approve: true, Reason: "fine", Binding: stale}, oas.DecideApprovalParams{Approval: app.ID})
	require.Equal(t, 412, problem(t, err).StatusCode, "what was seen is not what would be released")
	app, err = ben.DecideApproval(w.ctx, &oas.DecisionNew{Approve: true, Reason: "nothing forgotten", Binding: app.Binding}, oas.DecideApprovalParams{Approval: app.ID})
	require.NoError(t, err)
	require.Equal(t, oas.ApprovalStatusApproved, app.Status)
	w.release(rel.Response.ID, envs...)

	got, err := ana.GetRelease(w.ctx, oas.GetReleaseParams{Release: rel.Response.ID})
	require.NoError(t, err)
	require.Equal(t, oas.PhaseSucceeded, got.Phase)
	require.NotEmpty(t, got.Steps)
	series, err := ana.GetEnvironmentMetrics(w.ctx, oas.GetEnvironmentMetricsParams{Model: "support", Environment: "production"})
	require.NoError(t, err)
	require.NotEmpty(t, series.Items)
	caps, err := ana.ListCaptures(w.ctx, oas.ListCapturesParams{Model: "support", Environment: "production", Limit: oas.NewOptInt(3)})
	require.NoError(t, err)
	require.Len(t, caps.Items, 3)
	line, err := ana.GetLineage(w.ctx, oas.GetLineageParams{Node: "modelVersion:support@2", Direction: oas.NewOptDirection(oas.DirectionForward)})
	require.NoError(t, err)
	require.Contains(t, line.Nodes, oas.LineageNode{Type: "environment", ID: "support/production", Share: oas.NewOptFloat64(100)})

	back, err := mel.RollBack(w.ctx, &oas.RollbackNew{Reason: "complaints"}, oas.RollBackParams{Model: "support", Environment: "production", IdempotencyKey: oas.NewOptString("3")})
	require.NoError(t, err)
	require.Equal(t, 1, back.Response.To.Version)
	done, err := w.rollout.VerifyRollback(w.ctx, back.Response.ID)
	require.NoError(t, err)
	require.Equal(t, "Done", done.Status)
	one, err := mel.GetRollback(w.ctx, oas.GetRollbackParams{Rollback: back.Response.ID})
	require.NoError(t, err)
	holds, err := mel.ListHolds(w.ctx, oas.ListHoldsParams{Model: "support", Environment: "production"})
	require.NoError(t, err)
	require.Equal(t, one.Hold.Value, holds.Items[0].ID)
	over, err = mel.GetOverview(w.ctx)
	require.NoError(t, err)
	require.Equal(t, 1, over.Models[0].Environments[2].Holds)
	require.Equal(t, 1, over.Models[0].Environments[2].Version.Value)
	require.NoError(t, mel.ReleaseHold(w.ctx, oas.ReleaseHoldParams{Model: "support", Environment: "production", Hold: holds.Items[0].ID, Reason: "fixed"}))
	list, err := mel.ListRollbacks(w.ctx, oas.ListRollbacksParams{Model: "support", Environment: "production"})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	verdict, err := w.typed("root").VerifyAudit(w.ctx)
	require.NoError(t, err)
	require.True(t, verdict.Ok)
	trail, err := w.typed("root").ListAudit(w.ctx, oas.ListAuditParams{Subject: oas.NewOptString("release:" + rel.Response.ID)})
	require.NoError(t, err)
	require.NotEmpty(t, trail.Items)
}

func TestLoop_BreakingTheGlassTakesTwoOthers(t *testing.T) {
	w := newWorld(t)
	w.model()
	w.version("2", "FAIL")
	ana := w.typed("ana")
	_, err := ana.RequestRelease(w.ctx, &oas.ReleaseNew{Model: "support", Version: 2}, oas.RequestReleaseParams{IdempotencyKey: oas.NewOptString("1")})
	p := problem(t, err)
	require.Equal(t, 409, p.StatusCode)
	require.Equal(t, "GateFailed", p.Response.Code)
	rel, err := ana.RequestRelease(w.ctx, &oas.ReleaseNew{Model: "support", Version: 2, BreakGlass: oas.NewOptBool(true), Reason: oas.NewOptString("drill")},
		oas.RequestReleaseParams{IdempotencyKey: oas.NewOptString("2")})
	require.NoError(t, err)
	app, err := ana.GetApproval(w.ctx, oas.GetApprovalParams{Approval: rel.Response.Approval.Value})
	require.NoError(t, err)
	require.Equal(t, 2, app.Required)
	decide := func(who string) error {
		_, err := w.typed(who).DecideApproval(w.ctx, &oas.DecisionNew{Approve: true, Reason: "drill", Binding: app.Binding}, oas.DecideApprovalParams{Approval: app.ID})
		return err
	}
	require.Error(t, decide("ana"), "the requester is no approver, and could not decide either")
	require.NoError(t, decide("ben"))
	require.Error(t, decide("ben"), "nobody decides twice")
	require.NoError(t, decide("root"))
	aborted, err := ana.AbortRelease(w.ctx, &oas.Reason{Reason: "end of drill"}, oas.AbortReleaseParams{Release: rel.Response.ID})
	require.NoError(t, err)
	require.Equal(t, oas.PhaseFailed, aborted.Phase)
}

func TestModel_IsChangedOnlyByWhoSawItLast(t *testing.T) {
	w := newWorld(t)
	w.model()
	c := w.typed("mel")
	m, err := c.GetModel(w.ctx, oas.GetModelParams{Model: "support"})
	require.NoError(t, err)
	same := w.call("mel", "GET", "/v1/models/support", "", "If-None-Match", `"0", `+m.ETag)
	require.Equal(t, 304, same.StatusCode)
	require.Empty(t, same.body)
	patch := &oas.ModelPatch{Name: oas.NewOptString("Support"), Benchmarks: []string{"prices"},
		Train: oas.NewOptModelPatchTrain(oas.ModelPatchTrain{"trainer": jx.Raw(`{"epochs":2}`)})}
	changed, err := c.UpdateModel(w.ctx, patch, oas.UpdateModelParams{Model: "support", IfMatch: oas.NewOptString(m.ETag)})
	require.NoError(t, err)
	require.Equal(t, "Support", changed.Response.Name)
	require.JSONEq(t, `{"trainer":{"epochs":2}}`, string(changed.Response.Train.Value))
	require.Equal(t, m.Response.Canned, changed.Response.Canned, "absent fields stay")
	require.NotEqual(t, m.ETag, changed.ETag)
	_, err = c.UpdateModel(w.ctx, patch, oas.UpdateModelParams{Model: "support", IfMatch: oas.NewOptString(m.ETag)})
	require.Equal(t, 412, problem(t, err).StatusCode)
	v, err := c.SetAlias(w.ctx, &oas.AliasChange{Version: 1, Reason: "anchor"}, oas.SetAliasParams{Model: "support", Alias: oas.AliasChallenger})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"champion", "challenger"}, v.Aliases)
	all, err := c.ListModelVersions(w.ctx, oas.ListModelVersionsParams{Model: "support"})
	require.NoError(t, err)
	require.Len(t, all.Items, 1)
	envs, err := c.ListEnvironments(w.ctx, oas.ListEnvironmentsParams{Model: "support"})
	require.NoError(t, err)
	require.Len(t, envs.Items, 3)
	env, err := c.GetEnvironment(w.ctx, oas.GetEnvironmentParams{Model: "support", Environment: "production"})
	require.NoError(t, err)
	strategy := env.Response.Strategy
	strategy.Steps = []int{5, 100}
	env, err = c.SetStrategy(w.ctx, &strategy, oas.SetStrategyParams{Model: "support", Environment: "production", IfMatch: oas.NewOptString(env.ETag)})
	require.NoError(t, err)
	require.Equal(t, []int{5, 100}, env.Response.Strategy.Steps)
}

func TestBenchmark_IsAddedAndPaged(t *testing.T) {
	w := newWorld(t)
	c := w.typed("mel")
	in := &oas.BenchmarkNew{Benchmark: "prices", Scorer: oas.Scorer{Kind: "exact"}, Decoding: oas.NewOptDecoding(oas.Decoding{MaxTokens: 16})}
	for i := range 5 {
		in.Items = append(in.Items, oas.BenchmarkItem{ID: fmt.Sprintf("q%d", i), Input: oas.NewOptString(fmt.Sprintf("What does plan %d cost?", i)),
			Target: oas.NewOptString("7"), Capability: "knowledge"})
	}
	head, err := c.CreateBenchmark(w.ctx, in)
	require.NoError(t, err)
	require.Equal(t, 5, head.ItemCount)
	page, err := c.GetBenchmark(w.ctx, oas.GetBenchmarkParams{Benchmark: "prices", Limit: oas.NewOptInt(3)})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	require.Equal(t, oas.BenchmarkCapabilities{"knowledge": 5}, page.Benchmark.Capabilities.Value)
	page, err = c.GetBenchmark(w.ctx, oas.GetBenchmarkParams{Benchmark: "prices", Limit: oas.NewOptInt(3), Cursor: page.NextCursor})
	require.NoError(t, err)
	require.Len(t, page.Items, 2)
	require.False(t, page.NextCursor.Set)
	list, err := c.ListBenchmarks(w.ctx)
	require.NoError(t, err)
	require.Equal(t, head.Lock, list.Items[0].Lock)
}

func TestIdentity_IsKeptThroughTheAPI(t *testing.T) {
	w := newWorld(t)
	c := w.typed("root")
	made, err := c.CreateUser(w.ctx, &oas.UserNew{Login: "eve", Roles: []oas.Role{oas.RoleViewer}})
	require.NoError(t, err)
	got, err := c.SetRoles(w.ctx, &oas.RolesChange{Roles: []oas.Role{oas.RoleApprover}, Reason: "new job"}, oas.SetRolesParams{ID: made.User.ID})
	require.NoError(t, err)
	require.Equal(t, []oas.Role{oas.RoleApprover}, got.Roles)
	once, err := c.ResetPassword(w.ctx, &oas.Reason{Reason: "forgot it"}, oas.ResetPasswordParams{ID: made.User.ID})
	require.NoError(t, err)
	w.signIn("eve", once.OneTimePassword)
	users, err := c.ListUsers(w.ctx, oas.ListUsersParams{Limit: oas.NewOptInt(3)})
	require.NoError(t, err)
	require.Len(t, users.Items, 3)
	require.True(t, users.NextCursor.Set)
	key, err := c.CreateKey(w.ctx, &oas.KeyNew{Name: "ci", Scopes: []oas.Permission{oas.PermissionDataRead}, ExpiresInDays: oas.NewOptInt(1)})
	require.NoError(t, err)
	require.NoError(t, c.RevokeKey(w.ctx, oas.RevokeKeyParams{ID: key.Key.ID}))
	keys, err := c.ListKeys(w.ctx, oas.ListKeysParams{})
	require.NoError(t, err)
	require.True(t, keys.Items[0].Revoked)
	conf, err := c.GetConfig(w.ctx)
	require.NoError(t, err)
	require.Equal(t, oas.ConfigRealtimeSse, conf.Realtime)
}

func TestReport_IsServedAsItsBytesAndAsAPageThatRunsNothing(t *testing.T) {
	w := newWorld(t)
	hex := strings.Repeat("a", 64)
	for ext, body := range map[string]string{"json": `{"verdict":"PASS"}`, "html": "<h1>PASS</h1>"} {
		_, err := w.objects.Put(w.ctx, "reports/"+hex+"."+ext, strings.NewReader(body), object.PutOptions{})
		require.NoError(t, err)
	}
	a := w.call("vic", "GET", "/v1/reports/sha256:"+hex, "")
	require.Equal(t, `{"verdict":"PASS"}`, string(a.body))
	require.Contains(t, a.Header.Get("Cache-Control"), "immutable")
	require.Equal(t, 304, w.call("vic", "GET", "/v1/reports/"+hex, "", "If-None-Match", a.Header.Get("ETag")).StatusCode)
	a = w.call("vic", "GET", "/v1/reports/"+hex+"/html", "")
	require.Equal(t, "<h1>PASS</h1>", string(a.body))
	require.Equal(t, "text/html; charset=utf-8", a.Header.Get("Content-Type"))
	require.Contains(t, a.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, a.Header.Get("Content-Security-Policy"), "sandbox")
}
