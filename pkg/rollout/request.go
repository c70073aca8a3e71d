package rollout

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

// RequestInput asks for a release.
type RequestInput struct {
	Model        string
	Version      int
	Environments []string // empty = all, in order
	Reason       string
	BreakGlass   bool   // release although the gate said FAIL
	Key          string // idempotency; may be empty
}

// approvalTTL is how long people have to decide.
const approvalTTL = 72 * time.Hour

// Request opens a release and asks for its approval. A version that the gate failed is errs.GateFailed
// unless the glass is broken; one on hold in an environment is errs.Held.
func (s *Service) Request(ctx context.Context, by audit.Actor, in RequestInput) (Release, error) {
	v, err := s.Registry.Version(ctx, in.Model, in.Version)
	if err != nil {
		return Release{}, err
	}
	envs, err := s.lanes(ctx, in)
	if err != nil {
		return Release{}, err
	}
	if err := s.allowed(ctx, by, in, v, envs); err != nil {
		return Release{}, err
	}
	rel, app := s.open(by, in, v, envs)
	event, err := s.Log.Commit(ctx, audit.Change{Actor: by, Type: "ReleaseRequested", Reason: in.Reason, Data: rel, Key: in.Key,
		Subject: audit.Subject{Type: "release", ID: rel.ID}, Ops: []table.Op{saveRelease(rel, 0), saveApproval(app, 0),
			edge(registry.VersionNode(v.Model, v.Number), releaseNode(rel.ID))}})
	if err != nil {
		return rel, err
	}
	return s.launch(ctx, event.Subject.ID)
}

// lanes gives the names of the environments asked for, in promotion order.
func (s *Service) lanes(ctx context.Context, in RequestInput) ([]string, error) {
	all, err := s.Environments(ctx, in.Model)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range all {
		if len(in.Environments) == 0 || slices.Contains(in.Environments, e.Name) {
			names = append(names, e.Name)
		}
	}
	if len(names) == 0 || (len(in.Environments) > 0 && len(names) != len(in.Environments)) {
		return nil, errs.New(errs.Invalid, "environments %v do not all exist", in.Environments).At("/environments").
			Mend("use development, staging or production")
	}
	return names, nil
}

func (s *Service) allowed(ctx context.Context, by audit.Actor, in RequestInput, v registry.Version, envs []string) error {
	if v.Verdict == "" && v.Origin == registry.Trained {
		return errs.New(errs.GateFailed, "version %d has not been judged by the gate", v.Number).Mend("wait for its evaluation")
	}
	if v.Verdict == "FAIL" && !in.BreakGlass {
		return errs.New(errs.GateFailed, "the gate failed version %d", v.Number).
			Mend("train again, or break the glass: two other people must then approve with reasons")
	}
	if in.BreakGlass && strings.TrimSpace(in.Reason) == "" {
		return errs.New(errs.Invalid, "breaking the glass needs a reason").At("/reason")
	}
	for _, env := range envs {
		if err := s.notHeld(ctx, by, in.Model, env, v.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) open(by audit.Actor, in RequestInput, v registry.Version, envs []string) (Release, Approval) {
	now := s.Clock()
	rel := Release{ID: s.IDs("rel"), Model: v.Model, Version: v.Number, Digest: v.Digest, Environments: envs, Requester: by,
		Reason: in.Reason, BreakGlass: in.BreakGlass, Report: v.Report, Verdict: v.Verdict, Phase: PendingApproval,
		Steps: []Step{}, Created: now, Rev: 1}
	app := Approval{ID: s.IDs("apr"), Release: rel.ID, Model: v.Model, Version: v.Number, Requester: by, BreakGlass: in.BreakGlass,
		Binding:  Binding{Candidate: v.Digest, Report: v.Report, Policy: v.Policy, Environment: envs[len(envs)-1]},
		Required: 1, Decisions: []Decision{}, Status: "Pending", Expires: now.Add(approvalTTL), Created: now, Rev: 1}
	if in.BreakGlass {
		app.Required = 2
	}
	rel.Approval = app.ID
	return rel, app
}

// launch starts the release's execution; the name makes a second call harmless.
func (s *Service) launch(ctx context.Context, id string) (Release, error) {
	rel, err := s.Release(ctx, id)
	if err != nil || rel.Execution != "" {
		return rel, err
	}
	input := map[string]any{"release": id, "environments": rel.Environments}
	arn, err := s.Workflow.Start(ctx, "release-model", id, input)
	if err != nil {
		return rel, err
	}
	return s.updateRelease(ctx, audit.System("rollout"), id, "ReleaseStarted", func(r *Release) { r.Execution = arn })
}

func saveRelease(r Release, rev int64) table.Op {
	return table.Save(releaseKey(r.ID), r, rev, map[table.Index]table.Key{
		table.GSI1: {PK: "RELEASES#" + r.Model, SK: r.ID}, table.GSI2: {PK: "RELEASES", SK: r.ID}})
}

// Release gives one release.
func (s *Service) Release(ctx context.Context, id string) (Release, error) {
	r, err := table.Load[Release](ctx, s.Table, releaseKey(id))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no release %q", id)
	}
	return r, err
}

// Releases lists releases, newest first; an empty model lists all.
func (s *Service) Releases(ctx context.Context, model string, limit int, cursor string) ([]Release, string, error) {
	q := table.Query{Index: table.GSI2, PK: "RELEASES", Descending: true, Limit: limit, Cursor: cursor}
	if model != "" {
		q.Index, q.PK = table.GSI1, "RELEASES#"+model
	}
	return table.List[Release](ctx, s.Table, q)
}

func (p Phase) final() bool { return p != PendingApproval && p != Progressing }

// updateRelease changes a release that has not ended.
func (s *Service) updateRelease(ctx context.Context, by audit.Actor, id, event string, change func(*Release)) (Release, error) {
	var rel Release
	err := retry(func() error {
		was, err := s.Release(ctx, id)
		rel = was
		if err != nil || was.Phase.final() {
			return err
		}
		change(&rel)
		rel.Rev++
		_, err = s.Log.Commit(ctx, audit.Change{Actor: by, Type: event, Reason: rel.Error, Data: rel, Before: audit.JSON(was.Phase),
			After: audit.JSON(rel.Phase), Subject: audit.Subject{Type: "release", ID: id}, Ops: []table.Op{saveRelease(rel, was.Rev)}})
		return err
	})
	return rel, err
}

// Abort stops a release; traffic that it had moved goes back.
func (s *Service) Abort(ctx context.Context, by audit.Actor, id, reason string) (Release, error) {
	rel, err := s.Release(ctx, id)
	if err != nil {
		return rel, err
	}
	if rel.Phase.final() {
		return rel, errs.New(errs.Conflict, "release %s has ended: %s", id, rel.Phase)
	}
	if rel.Execution != "" {
		if err := s.Workflow.Stop(ctx, rel.Execution, "aborted: "+reason); err != nil {
			return rel, err
		}
	}
	return s.end(ctx, by, rel, Failed, "aborted: "+reason)
}

// end closes a release and, where it was under way in an environment, returns the traffic.
func (s *Service) end(ctx context.Context, by audit.Actor, rel Release, phase Phase, why string) (Release, error) {
	for _, name := range rel.Environments {
		if err := s.release(ctx, by, rel, name); err != nil {
			return rel, err
		}
	}
	return s.updateRelease(ctx, by, rel.ID, "Release"+string(phase), func(r *Release) {
		r.Phase, r.Error, r.Ended = phase, why, s.Clock()
	})
}

// release frees an environment that a release still occupies and points its traffic at the live version.
func (s *Service) release(ctx context.Context, by audit.Actor, rel Release, name string) error {
	return s.updateEnv(ctx, by, rel.Model, name, "TrafficReturned", func(e *Environment) bool {
		if e.Release != rel.ID {
			return false
		}
		e.Release = ""
		e.point(e.Live, 100)
		return true
	})
}

// updateEnv changes an environment; change returns false when there is nothing to do.
func (s *Service) updateEnv(ctx context.Context, by audit.Actor, model, name, event string, change func(*Environment) bool, extra ...table.Op) error {
	return retry(func() error {
		was, err := s.Environment(ctx, model, name)
		if err != nil {
			return err
		}
		e := was
		e.Targets = slices.Clone(was.Targets)
		if !change(&e) {
			return nil
		}
		e.Changed, e.Rev = s.Clock(), was.Rev+1
		_, err = s.Log.Commit(ctx, audit.Change{Actor: by, Type: event, Data: e, Before: audit.JSON(was.Targets), After: audit.JSON(e.Targets),
			Subject: audit.Subject{Type: "environment", ID: model + "/" + name}, Ops: append([]table.Op{saveEnv(e, was.Rev)}, extra...)})
		return err
	})
}
