package httpapi

import (
	"context"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// within refuses a key that is bound to other environments. A key so bound cannot ask for "all".
func (h *handler) within(ctx context.Context, envs ...string) error {
	p := requestOf(ctx).Principal
	if len(envs) == 0 && len(p.Environments) > 0 {
		return errs.New(errs.Forbidden, "this key may act in %s only", strings.Join(p.Environments, ", ")).Mend("name the environments")
	}
	for _, env := range envs {
		if !p.In(env) {
			return errs.New(errs.Forbidden, "this key may not act in %s", env).Mend("use a key that is valid there")
		}
	}
	return nil
}

// ListEnvironments answers listEnvironments.
func (h *handler) ListEnvironments(ctx context.Context, p oas.ListEnvironmentsParams) (*oas.EnvironmentList, error) {
	if _, err := h.Models.Model(ctx, p.Model); err != nil {
		return nil, err
	}
	items, err := sentAll[oas.Environment](h.Environments.Environments(ctx, p.Model))
	return &oas.EnvironmentList{Items: items}, err
}

// GetEnvironment answers getEnvironment.
func (h *handler) GetEnvironment(ctx context.Context, p oas.GetEnvironmentParams) (*oas.EnvironmentHeaders, error) {
	return envSent(h.Environments.Environment(ctx, p.Model, p.Environment))
}

func envSent(e rollout.Environment, err error) (*oas.EnvironmentHeaders, error) {
	out, err := sent[oas.Environment](e, err)
	if err != nil {
		return nil, err
	}
	return &oas.EnvironmentHeaders{ETag: etag(e.Rev), Response: *out}, nil
}

// SetStrategy answers setStrategy.
func (h *handler) SetStrategy(ctx context.Context, req *oas.Strategy, p oas.SetStrategyParams) (*oas.EnvironmentHeaders, error) {
	if err := h.within(ctx, p.Environment); err != nil {
		return nil, err
	}
	rev, err := revision(p.IfMatch.Value)
	if err != nil {
		return nil, err
	}
	return envSent(h.Environments.SetStrategy(ctx, actor(ctx), p.Model, p.Environment, rollout.Strategy{Steps: req.Steps,
		Interval: req.Interval, MinRequests: req.MinRequests, MaxHold: req.MaxHold, Alpha: req.Alpha, LatencyMax: req.LatencyMax}, rev))
}

// ListRollbacks answers listRollbacks.
func (h *handler) ListRollbacks(ctx context.Context, p oas.ListRollbacksParams) (*oas.RollbackList, error) {
	if _, err := h.Environments.Environment(ctx, p.Model, p.Environment); err != nil {
		return nil, err
	}
	items, err := sentAll[oas.Rollback](h.Rollbacks.Rollbacks(ctx, p.Model, p.Environment))
	return &oas.RollbackList{Items: items}, err
}

// RollBack answers rollBack.
func (h *handler) RollBack(ctx context.Context, req *oas.RollbackNew, p oas.RollBackParams) (*oas.RollbackHeaders, error) {
	if err := h.within(ctx, p.Environment); err != nil {
		return nil, err
	}
	rb, err := h.Rollbacks.Rollback(ctx, actor(ctx), rollout.RollbackInput{Model: p.Model, Environment: p.Environment,
		Version: req.Version.Value, Reason: req.Reason, Key: requestOf(ctx).Key})
	out, err := sent[oas.Rollback](rb, err)
	if err != nil {
		return nil, err
	}
	return &oas.RollbackHeaders{Location: "/v1/rollbacks/" + rb.ID, Response: *out}, nil
}

// GetRollback answers getRollback.
func (h *handler) GetRollback(ctx context.Context, p oas.GetRollbackParams) (*oas.Rollback, error) {
	return sent[oas.Rollback](h.Rollbacks.RollbackByID(ctx, p.Rollback))
}

// ListHolds answers listHolds.
func (h *handler) ListHolds(ctx context.Context, p oas.ListHoldsParams) (*oas.HoldList, error) {
	if _, err := h.Environments.Environment(ctx, p.Model, p.Environment); err != nil {
		return nil, err
	}
	items, err := sentAll[oas.Hold](h.Holds.Holds(ctx, p.Model, p.Environment))
	return &oas.HoldList{Items: items}, err
}

// AddHold answers addHold.
func (h *handler) AddHold(ctx context.Context, req *oas.HoldNew, p oas.AddHoldParams) (*oas.Hold, error) {
	if err := h.within(ctx, p.Environment); err != nil {
		return nil, err
	}
	return sent[oas.Hold](h.Holds.AddHold(ctx, actor(ctx), p.Model, p.Environment, req.Version, req.Reason))
}

// ReleaseHold answers releaseHold.
func (h *handler) ReleaseHold(ctx context.Context, p oas.ReleaseHoldParams) error {
	if err := h.within(ctx, p.Environment); err != nil {
		return err
	}
	_, err := h.Holds.ReleaseHold(ctx, actor(ctx), p.Model, p.Environment, p.Hold, p.Reason)
	return err
}

// GetEnvironmentMetrics answers getEnvironmentMetrics.
func (h *handler) GetEnvironmentMetrics(ctx context.Context, p oas.GetEnvironmentMetricsParams) (*oas.TrafficSeries, error) {
	e, err := h.Environments.Environment(ctx, p.Model, p.Environment)
	if err != nil {
		return nil, err
	}
	items, err := sentAll[oas.TrafficPoint](h.Traffic.Series(ctx, p.Model, p.Environment, digests(e), p.Minutes.Value))
	return &oas.TrafficSeries{Items: items, Minutes: p.Minutes.Value}, err
}

func digests(e rollout.Environment) []string {
	out := make([]string, len(e.Targets))
	for i, t := range e.Targets {
		out[i] = t.Digest
	}
	return out
}

// ListCaptures answers listCaptures.
func (h *handler) ListCaptures(ctx context.Context, p oas.ListCapturesParams) (*oas.CaptureList, error) {
	if _, err := h.Environments.Environment(ctx, p.Model, p.Environment); err != nil {
		return nil, err
	}
	items, err := sentAll[oas.Capture](h.Traffic.Captures(ctx, p.Model, p.Environment, p.Limit.Value))
	return &oas.CaptureList{Items: items}, err
}
