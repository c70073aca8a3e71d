package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/cli"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// poison trains on a file whose answers are junk; the gate must fail what comes out.
func (d *demo) poison(ctx context.Context) error {
	if err := d.trigger(ctx, false); err != nil {
		return err
	}
	in, err := d.upload(ctx, "poison.jsonl")
	if err != nil {
		return err
	}
	if err := expected(in.DatasetVersion == 3, "the poisoned rows look right and should be version 3: %s %s", in.Status, in.Error); err != nil {
		return err
	}
	run, err := d.startRun(ctx, "naive", "somebody is in a hurry")
	if err != nil {
		return err
	}
	if run, err = d.follow(ctx, run.ID); err != nil {
		return err
	}
	if _, err := d.tellReport(ctx, run, "poison"); err != nil {
		return err
	}
	_, refused := d.request(ctx, map[string]any{"model": model, "version": run.Candidate})
	return errors.Join(expected(run.Verdict == "FAIL", "the gate should fail the poisoned version, it says %s", run.Verdict),
		expected(errs.Is(refused, errs.GateFailed), "its release should be refused: %v", refused))
}

// breakGlass forces the poisoned version into production with two other people's approval; its canary
// must send it back by itself.
func (d *demo) breakGlass(ctx context.Context) error {
	run, err := d.newestRun(ctx, "")
	if err != nil {
		return err
	}
	rel, err := d.request(ctx, map[string]any{"model": model, "version": run.Candidate, "breakGlass": true,
		"environments": []string{"production"}, "reason": "a customer insists"})
	if err != nil {
		return err
	}
	for _, who := range []string{"ben", "eve"} {
		if err := d.decide(ctx, who, rel.Approval, "on ana's word"); err != nil {
			return err
		}
	}
	err = d.underTraffic(ctx, func(ctx context.Context) error {
		rel, err = d.released(ctx, rel.ID, rollout.RolledBack)
		return err
	})
	if err != nil {
		return err
	}
	d.report.CanaryRollback = rel.Error
	d.say("rolled back by itself: %s", rel.Error)
	if err := d.live(ctx, d.learned); err != nil {
		return err
	}
	path := "/v1/datasets/knowledge/versions/3/retract"
	if err := d.users["ana"].Post(ctx, path, map[string]string{"reason": "poisoned"}, nil); err != nil {
		return err
	}
	d.say("dataset version 3 is retracted: nothing learns from it any more")
	return d.releaseHolds(ctx, "the poisoned data is retracted")
}

// live checks which version has all traffic of production.
func (d *demo) live(ctx context.Context, version int) error {
	e, err := d.environment(ctx, "production")
	if err != nil {
		return err
	}
	d.report.LiveShare = map[string]int{}
	for _, t := range e.Targets {
		if t.Weight > 0 {
			d.report.LiveShare[fmt.Sprint(t.Version)] = t.Weight
		}
	}
	return expected(d.report.LiveShare[fmt.Sprint(version)] == 100, "version %d should have all traffic: %v", version, d.report.LiveShare)
}

func (d *demo) holds(ctx context.Context) ([]rollout.Hold, error) {
	var hs struct {
		Items []rollout.Hold `json:"items"`
	}
	err := d.users["ana"].Get(ctx, "/v1/models/"+model+"/environments/production/holds", &hs)
	return hs.Items, err
}

func (d *demo) releaseHolds(ctx context.Context, why string) error {
	hs, err := d.holds(ctx)
	if err != nil {
		return err
	}
	for _, h := range hs {
		path := fmt.Sprintf("/v1/models/%s/environments/production/holds/%s?reason=%s", model, h.ID, strings.ReplaceAll(why, " ", "+"))
		resp, err := d.users["ana"].Do(ctx, "DELETE", path, nil)
		if err != nil {
			return err
		}
		resp.Body.Close()
		d.say("hold on version %d released: %s", h.Version, why)
	}
	return nil
}

// drill goes back in one call, shows the hold, and undoes both by a normal release.
func (d *demo) drill(ctx context.Context) error {
	began := time.Now()
	rb, err := d.users["ben"].RollBack(ctx, model, "production", map[string]any{"reason": "drill"})
	if err != nil {
		return err
	}
	d.report.Rollback = seconds(time.Since(began))
	d.say("version %d → %d in %.2f s, observed; version %d is on hold", rb.From.Version, rb.To.Version, d.report.Rollback, rb.From.Version)
	_, held := d.request(ctx, map[string]any{"model": model, "version": d.learned})
	if held != nil {
		d.say("releasing it again is refused: %s", held)
	}
	err = errors.Join(expected(rb.Status == "Done", "the rollback should be done: %s %s", rb.Status, rb.Error), d.live(ctx, d.base),
		expected(errs.Is(held, errs.Held), "the hold should keep version %d out: %v", d.learned, held))
	if err != nil {
		return err
	}
	if err := d.releaseHolds(ctx, "the drill is over"); err != nil {
		return err
	}
	return d.again(ctx)
}

func (d *demo) again(ctx context.Context) error {
	rel, err := d.request(ctx, map[string]any{"model": model, "version": d.learned, "environments": []string{"production"}, "reason": "undo the drill"})
	if err != nil {
		return err
	}
	if err := d.decide(ctx, "ben", rel.Approval, "the drill is over"); err != nil {
		return err
	}
	return d.underTraffic(ctx, func(ctx context.Context) error {
		_, err := d.released(ctx, rel.ID, rollout.Succeeded)
		return err
	})
}

// lineage walks from production back to the shards and from the learned data forward to production.
func (d *demo) lineage(ctx context.Context) error {
	if err := d.live(ctx, d.learned); err != nil {
		return err
	}
	var back, forth cli.Graph
	if err := d.users["ana"].Get(ctx, fmt.Sprintf("/v1/lineage?node=environment:%s/production&direction=backward&depth=20", model), &back); err != nil {
		return err
	}
	for _, e := range back.Edges {
		d.say("%s → %s", e.From, e.To)
	}
	if err := d.users["ana"].Get(ctx, "/v1/lineage?node=datasetVersion:knowledge@2&direction=forward&depth=20", &forth); err != nil {
		return err
	}
	share := 0.0
	for _, n := range forth.Nodes {
		if n.Type == "environment" && n.Share != nil {
			if n.ID == model+"/production" {
				share = *n.Share
			}
			d.say("dataset version 2 has %.0f%% of the traffic of %s", *n.Share, n.ID)
		}
	}
	return errors.Join(expected(has(back, "shard"), "production should lead back to shards"),
		expected(share == 100, "the data should lead forward to all traffic of production, it leads to %.0f%%", share), d.auditIntact(ctx))
}

func has(g cli.Graph, kind string) bool {
	for _, n := range g.Nodes {
		if n.Type == kind {
			return true
		}
	}
	return false
}

func (d *demo) auditIntact(ctx context.Context) error {
	report, err := d.platform.Log.Verify(ctx, nil)
	if err != nil {
		return err
	}
	d.report.AuditEntries = report.Head.Seq
	d.say("audit: %d entries, chain intact", report.Head.Seq)
	return report.Err()
}

// summary tells what was gained and what was kept, as measured in this run.
func (d *demo) summary() {
	d.title("What this run measured")
	for _, name := range []string{"safe", "naive"} {
		if s, ok := d.report.Scores[name]; ok {
			d.say("%-6s gained: company facts %s → %s; kept: old questions %s → %s", name, percent(s.NewBefore), percent(s.NewAfter), percent(s.OldBefore), percent(s.OldAfter))
		}
	}
	for _, a := range d.report.Asked {
		d.say("%s “%s” → “%s”", a.Question, a.Before, a.After)
	}
	d.say("rollback %.2f s; %d requests served, %d failed; report in %s", d.report.Rollback, d.traffic.sent.Load(), d.traffic.failed.Load(), d.Data+"/demo-report.json")
}
