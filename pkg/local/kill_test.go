package local_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/cli"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// The platform is killed in every stage of one loop and started again: the loop ends in the same state,
// nothing is trained twice, and no accepted row is lost.
func TestPlatform_KilledInEveryStageOfTheLoop(t *testing.T) {
	p := startPlatform(t)
	in := p.killedDuringIngestion()
	run := p.killedDuringTraining()
	require.Equal(t, []string{`"rows": 3000}`}, endings(p.trained()), "trained once, on every accepted row")
	rel := p.killedDuringApproval(run)
	p.killedDuringCanary(rel)
	p.killedDuringRollback()
	require.Equal(t, 3000, in.Counts.Accepted)
	require.Len(t, p.trained(), 1, "nothing was trained again")
	p.intact()
}

func endings(lines []string) []string {
	out := []string{}
	for _, l := range lines {
		out = append(out, l[len(l)-len(`"rows": 3000}`):])
	}
	return out
}

func (p *platform) killedDuringIngestion() cli.Ingestion {
	in, err := p.as("ana").Upload(p.ctx, "tickets", p.file("news", 3000))
	require.NoError(p.t, err)
	p.restart()
	in, err = p.as("ana").Settle(p.ctx, in.ID, func(cli.Ingestion) {})
	require.NoError(p.t, err)
	require.EqualValues(p.t, "Published", in.Status, in.Error)
	require.Equal(p.t, 2, in.DatasetVersion)
	return in
}

func (p *platform) killedDuringTraining() training.Run {
	var run training.Run
	p.post("ana", "/v1/runs", map[string]any{"model": "support", "reason": "test"}, &run)
	p.until("the training job has a step", func() bool {
		var points struct{ Items []any }
		return p.as("ana").Get(p.ctx, "/v1/runs/"+run.ID+"/metrics", &points) == nil && len(points.Items) > 0
	})
	p.restart()
	require.NoError(p.t, os.WriteFile(p.letGo, nil, 0o600))
	p.until("the run ends", func() bool { return p.run(run.ID).Status.Final() })
	run = p.run(run.ID)
	require.Equal(p.t, training.Judged, run.Status, run.Error)
	require.Equal(p.t, "PASS", run.Verdict)
	return run
}

func (p *platform) killedDuringApproval(run training.Run) rollout.Release {
	require.NotEmpty(p.t, run.Release, run.Error)
	rel := p.release(run.Release)
	p.restart()
	p.steps("production", []int{10, 100}, 5)
	p.approve(rel)
	p.until("the release moves", func() bool { return p.release(rel.ID).Phase == rollout.Progressing })
	return rel
}

func (p *platform) killedDuringCanary(rel rollout.Release) {
	p.until("the canary has its share", func() bool {
		r := p.release(rel.ID)
		return r.Environment == "production" && r.Weight == 10
	})
	p.restart()
	p.until("customers are served until the release ends", func() bool {
		_, err := p.as("ana").Ask(p.ctx, "production", "support", "hello")
		return err == nil && !p.release(rel.ID).Ended.IsZero()
	})
	rel = p.release(rel.ID)
	require.Equal(p.t, rollout.Succeeded, rel.Phase, rel.Error)
	require.Equal(p.t, 2, p.live("production"))
}

func (p *platform) killedDuringRollback() {
	var rb rollout.Rollback
	p.post("ben", "/v1/models/support/environments/production/rollbacks", map[string]any{"reason": "drill"}, &rb)
	p.restart()
	p.until("the rollback is verified", func() bool {
		p.get("/v1/rollbacks/"+rb.ID, &rb)
		return rb.Status == "Done" || rb.Status == "Failed"
	})
	require.Equal(p.t, "Done", rb.Status, rb.Error)
	require.Equal(p.t, 1, p.live("production"))
}
