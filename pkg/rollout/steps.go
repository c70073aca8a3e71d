package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Place names a release in one of its environments; state machines pass it from step to step.
type Place struct {
	Release     string `json:"release"`
	Environment string `json:"environment"`
	Step        int    `json:"step"` // index into the strategy's steps
}

// Prepared is what release-model needs to bring up a version in an environment.
type Prepared struct {
	ModelName string `json:"modelName"`
	Endpoint  string `json:"endpoint"`
	Artifact  string `json:"artifact"` // object prefix
	Digest    string `json:"digest"`
	Interval  int    `json:"interval"` // seconds between looks
}

// Prepare takes the environment for the release and adds the version to its targets without traffic.
// errs.Held when another release is under way there or the version is on hold.
func (s *Service) Prepare(ctx context.Context, p Place) (Prepared, error) {
	rel, err := s.Release(ctx, p.Release)
	if err != nil {
		return Prepared{}, err
	}
	v, err := s.Registry.Version(ctx, rel.Model, rel.Version)
	if err != nil {
		return Prepared{}, err
	}
	if err := s.notHeld(ctx, rel.Requester, rel.Model, p.Environment, rel.Digest); err != nil {
		return Prepared{}, err
	}
	endpoint := EndpointName(rel.Model, p.Environment, rel.Digest)
	var taken string
	var interval int
	err = s.updateEnv(ctx, audit.System("rollout"), rel.Model, p.Environment, "EnvironmentTaken", func(e *Environment) bool {
		taken, interval = e.Release, e.Strategy.Interval
		if e.Release != "" {
			return false
		}
		e.Release = rel.ID
		if e.target(rel.Digest) == nil {
			e.Targets = append(e.Targets, Target{Version: rel.Version, Digest: rel.Digest, Endpoint: endpoint})
		}
		return true
	})
	if err == nil && taken != "" && taken != rel.ID {
		err = errs.New(errs.Held, "release %s is under way in %s", taken, p.Environment).Mend("wait for it or abort it")
	}
	if err == nil {
		err = s.note(ctx, p, Step{Action: "Prepared", Detail: "endpoint " + endpoint})
	}
	return Prepared{ModelName: endpoint, Endpoint: endpoint, Artifact: v.Artifact, Digest: rel.Digest, Interval: max(1, interval)}, err
}

// EndpointName is the name of the endpoint that serves a digest in an environment.
func EndpointName(model, env, digest string) string {
	hex := strings.TrimPrefix(digest, "sha256:")
	return fmt.Sprintf("%.32s-%.14s-%.12s", model, env, hex)
}

// note adds a step to a release and moves its place.
func (s *Service) note(ctx context.Context, p Place, st Step) error {
	st.Time, st.Environment = s.Clock(), p.Environment
	_, err := s.updateRelease(ctx, audit.System("rollout"), p.Release, "ReleaseStep"+st.Action, func(r *Release) {
		if n := len(r.Steps); n > 0 && same(r.Steps[n-1], st) {
			r.Steps = r.Steps[:n-1] // a step driven again after a crash, or another look at the same weight
		}
		r.Phase, r.Environment, r.Weight = Progressing, p.Environment, st.Weight
		r.Steps = append(r.Steps, st)
	})
	return err
}

func same(a, b Step) bool {
	return a.Environment == b.Environment && a.Action == b.Action && a.Weight == b.Weight
}

// Verify asks the prepared endpoint one prompt: the version is there only when the digest that really
// answered is the released one. errs.Unhealthy otherwise.
func (s *Service) Verify(ctx context.Context, p Place) error {
	rel, err := s.Release(ctx, p.Release)
	if err != nil {
		return err
	}
	if err := s.observed(ctx, rel.Model, p.Environment, rel.Digest); err != nil {
		return err
	}
	return s.note(ctx, p, Step{Action: "Verified", Detail: "observed " + rel.Digest})
}

// observed asks the endpoint of a digest and compares what answers with what should.
func (s *Service) observed(ctx context.Context, model, env, digest string) error {
	e, err := s.Environment(ctx, model, env)
	if err != nil {
		return err
	}
	t := e.target(digest)
	if t == nil {
		return errs.New(errs.Unhealthy, "%s has no target %s", env, digest)
	}
	prompt := "Hello"
	if m, err := s.Registry.Model(ctx, model); err == nil && len(m.Canned) > 0 {
		prompt = m.Canned[0].Prompt
	}
	a, err := s.Asker.Ask(ctx, t.Endpoint, prompt)
	if err != nil {
		return errs.New(errs.Unhealthy, "endpoint %s does not answer: %w", t.Endpoint, err)
	}
	if a.Digest != digest {
		return errs.New(errs.Unhealthy, "endpoint %s serves %s, not %s", t.Endpoint, a.Digest, digest)
	}
	return nil
}

// Shift gives the version the share of traffic of the place's step and starts the analysis anew.
func (s *Service) Shift(ctx context.Context, p Place) (weight int, err error) {
	rel, err := s.Release(ctx, p.Release)
	if err != nil {
		return 0, err
	}
	if rel.Phase.final() {
		return 0, errs.New(errs.Conflict, "release %s has ended: %s", rel.ID, rel.Phase)
	}
	watch, err := s.beginWatch(ctx, rel, p)
	if err != nil {
		return 0, err
	}
	err = s.updateEnv(ctx, audit.System("rollout"), rel.Model, p.Environment, "TrafficShifted", func(e *Environment) bool {
		if e.Release != rel.ID || p.Step >= len(e.Strategy.Steps) {
			return false
		}
		weight = e.Strategy.Steps[p.Step]
		e.point(rel.Digest, weight)
		weight = e.target(rel.Digest).Weight
		return true
	}, watch)
	if err != nil {
		return 0, err
	}
	return weight, s.note(ctx, p, Step{Action: "Shifted", Weight: weight, Detail: fmt.Sprintf("%d%% of requests", weight)})
}

// Finished is what release-model needs to clean up after an environment.
type Finished struct {
	Retire []string `json:"retire"` // endpoints that nothing points to any more
}

// Finish makes the version the environment's live one, keeps the former one warm and, in the last
// environment of the promotion order, makes it champion.
func (s *Service) Finish(ctx context.Context, p Place) (Finished, error) {
	rel, err := s.Release(ctx, p.Release)
	if err != nil {
		return Finished{}, err
	}
	if err := s.observed(ctx, rel.Model, p.Environment, rel.Digest); err != nil {
		return Finished{}, err
	}
	out := Finished{Retire: []string{}}
	err = s.updateEnv(ctx, audit.System("rollout"), rel.Model, p.Environment, "EnvironmentReleased", func(e *Environment) bool {
		if e.Release != rel.ID {
			return false
		}
		if e.Live != rel.Digest {
			e.Previous, e.Live = e.Live, rel.Digest
		}
		e.Release = ""
		e.point(rel.Digest, 100)
		out.Retire = e.retire()
		return true
	}, edge(releaseNode(rel.ID), EnvironmentNode(rel.Model, p.Environment)))
	if err != nil {
		return out, err
	}
	if err := s.crown(ctx, rel.Model, p.Environment, rel.Version, "released by "+rel.ID); err != nil {
		return out, err
	}
	return out, s.note(ctx, p, Step{Action: "Finished", Weight: 100, Detail: "live and observed"})
}

// retire drops the targets that are neither live nor the one to go back to, and gives their endpoints.
func (e *Environment) retire() []string {
	out, keep := []string{}, []Target{}
	for _, t := range e.Targets {
		if t.Digest == e.Live || t.Digest == e.Previous {
			keep = append(keep, t)
		} else {
			out = append(out, t.Endpoint)
		}
	}
	e.Targets = keep
	return out
}

// crown makes a version champion when the environment is the last of the promotion order.
func (s *Service) crown(ctx context.Context, model, env string, version int, why string) error {
	all, err := s.Environments(ctx, model)
	if err != nil || len(all) == 0 || all[len(all)-1].Name != env {
		return err
	}
	by := audit.System("rollout")
	if err := s.Registry.SetAlias(ctx, by, model, registry.Champion, version, why); err != nil {
		return err
	}
	v, err := s.Registry.Version(ctx, model, version)
	if err != nil || v.Status == registry.Approved {
		return err
	}
	return s.Registry.Judge(ctx, by, model, version, func(v *registry.Version) { v.Status = registry.Approved })
}

// Close ends a release that went through all its environments.
func (s *Service) Close(ctx context.Context, id string) error {
	_, err := s.updateRelease(ctx, audit.System("rollout"), id, "ReleaseSucceeded", func(r *Release) {
		r.Phase, r.Ended = Succeeded, s.Clock()
	})
	return err
}

// Decline ends a release that people refused or let expire.
func (s *Service) Decline(ctx context.Context, id, status string) error {
	_, err := s.updateRelease(ctx, audit.System("rollout"), id, "ReleaseRejected", func(r *Release) {
		r.Phase, r.Ended, r.Error = Rejected, s.Clock(), "approval "+strings.ToLower(status)
	})
	return err
}

// Revert ends a release that did not do well: traffic returns to the live version, the version is put
// on hold there, and the return is recorded as an automatic rollback.
func (s *Service) Revert(ctx context.Context, p Place, why string) (Finished, error) {
	rel, err := s.Release(ctx, p.Release)
	out := Finished{Retire: []string{}}
	if err != nil || rel.Phase.final() {
		return out, err
	}
	began := s.Clock()
	var from, to Target
	err = s.updateEnv(ctx, audit.System("rollout"), rel.Model, p.Environment, "TrafficReturned", func(e *Environment) bool {
		if e.Release != rel.ID {
			return false
		}
		if t := e.target(rel.Digest); t != nil {
			from = *t
		}
		e.Release = ""
		e.point(e.Live, 100)
		if t := e.target(e.Live); t != nil {
			to = *t
		}
		out.Retire = e.retire()
		return true
	})
	if err != nil {
		return out, err
	}
	if from.Weight > 0 {
		err = s.recordAutomatic(ctx, rel, p.Environment, from, to, why, began)
	}
	if err != nil {
		return out, err
	}
	phase := Failed
	if from.Weight > 0 {
		phase = RolledBack
	}
	_, err = s.end(ctx, audit.System("rollout"), rel, phase, why)
	return out, err
}

// recordAutomatic writes the rollback record and the hold of a canary that was reverted.
func (s *Service) recordAutomatic(ctx context.Context, rel Release, env string, from, to Target, why string, began time.Time) error {
	now := s.Clock()
	hold := s.newHold(audit.System("rollout"), rel.Model, env, from, why)
	rb := Rollback{ID: "rbk_" + strings.TrimPrefix(rel.ID, "rel_") + "_" + env, Model: rel.Model, Environment: env, From: from, To: to, Reason: why,
		Actor: audit.System("rollout"), Automatic: true, Status: "Done", Hold: hold.ID, Created: began, Ended: now, Seconds: now.Sub(began).Seconds(), Rev: 1}
	_, err := s.Log.Commit(ctx, audit.Change{Actor: audit.System("rollout"), Type: "RolledBack", Reason: why, Data: rb, Key: "revert:" + rb.ID,
		Subject: audit.Subject{Type: "rollback", ID: rb.ID}, Ops: []table.Op{saveRollback(rb, 0), saveHold(hold, 0)}})
	return err
}
