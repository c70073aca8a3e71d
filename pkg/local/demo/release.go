package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/rollout"
)

func (d *demo) request(ctx context.Context, in map[string]any) (rollout.Release, error) {
	var rel rollout.Release
	err := d.users["ana"].Post(ctx, "/v1/releases", in, &rel)
	return rel, err
}

func (d *demo) decide(ctx context.Context, who, approval, reason string) error {
	return d.decision(ctx, who, approval, reason, true)
}

func (d *demo) refuse(ctx context.Context, approval, reason string) error {
	return d.decision(ctx, "ben", approval, reason, false)
}

func (d *demo) decision(ctx context.Context, who, approval, reason string, yes bool) error {
	var a rollout.Approval
	if err := d.users[who].Get(ctx, "/v1/approvals/"+approval, &a); err != nil {
		return err
	}
	in := map[string]any{"approve": yes, "reason": reason, "binding": a.Binding}
	if err := d.users[who].Decide(ctx, a, in, &a); err != nil {
		return err
	}
	d.say("%s decided: %s (%d of %d) — “%s”", who, strings.ToLower(a.Status), len(a.Decisions), a.Required, reason)
	return nil
}

// releaseOf finds the release of a version that waits for approval.
func (d *demo) releaseOf(ctx context.Context, version int) (rollout.Release, error) {
	var rels struct {
		Items []rollout.Release `json:"items"`
	}
	if err := d.users["ana"].Get(ctx, "/v1/releases?model="+model, &rels); err != nil {
		return rollout.Release{}, err
	}
	for _, r := range rels.Items {
		if r.Version == version {
			return r, nil
		}
	}
	return rollout.Release{}, fmt.Errorf("no release of version %d was asked for", version)
}

func (d *demo) release(ctx context.Context) error {
	rel, err := d.releaseOf(ctx, d.learned)
	if err != nil {
		return err
	}
	return d.underTraffic(ctx, func(ctx context.Context) error {
		_, err := d.released(ctx, rel.ID, rollout.Succeeded)
		return err
	})
}

// released follows a release and checks how it ended.
func (d *demo) released(ctx context.Context, id string, want rollout.Phase) (rollout.Release, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	told := 0
	rel, err := d.users["ana"].FollowRelease(ctx, id, func(r rollout.Release) {
		for ; told < len(r.Steps); told++ {
			d.tellStep(r.Steps[told])
		}
	})
	if err != nil {
		return rel, err
	}
	return rel, expected(rel.Phase == want, "release %s should be %s, it is %s: %s", rel.ID, want, rel.Phase, rel.Error)
}

func (d *demo) tellStep(s rollout.Step) {
	switch s.Action {
	case "Shifted":
		d.say("%s: %d%% of requests to the new version", s.Environment, s.Weight)
	case "Judged":
		d.say("%s: %s — %s", s.Environment, strings.ToLower(s.Verdict), s.Detail)
	default:
		d.say("%s: %s, %s", s.Environment, strings.ToLower(s.Action), s.Detail)
	}
}
