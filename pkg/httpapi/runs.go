package httpapi

import (
	"context"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/training"
)

// mostPages bounds how far a filter that the store does not know looks for one page.
const mostPages = 20

// ListRuns answers listRuns.
func (h *handler) ListRuns(ctx context.Context, p oas.ListRunsParams) (*oas.RunList, error) {
	f := training.RunFilter{Model: p.Model.Value, Cursor: p.Cursor.Value}
	found := []training.Run{}
	for range mostPages {
		f.Limit = p.Limit.Value - len(found)
		page, next, err := h.Runs.Runs(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if !p.Status.Set || string(r.Status) == string(p.Status.Value) {
				found = append(found, r)
			}
		}
		if f.Cursor = next; next == "" || len(found) == p.Limit.Value {
			break
		}
	}
	items, err := wires[oas.Run](found)
	return &oas.RunList{Items: items, NextCursor: opt(f.Cursor)}, err
}

// GetRun answers getRun.
func (h *handler) GetRun(ctx context.Context, p oas.GetRunParams) (*oas.Run, error) {
	return sent[oas.Run](h.Runs.Run(ctx, p.Run))
}

// StartRun answers startRun.
func (h *handler) StartRun(ctx context.Context, req *oas.RunNew, _ oas.StartRunParams) (*oas.RunHeaders, error) {
	return runSent(h.RunActions.Start(ctx, actor(ctx), training.StartInput{Model: req.Model, Kind: training.ByHand,
		Preset: req.Preset.Value, Reason: req.Reason.Value, Seed: req.Seed.Value, Key: requestOf(ctx).Key}))
}

// RetryRun answers retryRun.
func (h *handler) RetryRun(ctx context.Context, p oas.RetryRunParams) (*oas.RunHeaders, error) {
	return runSent(h.RunActions.Retry(ctx, actor(ctx), p.Run))
}

func runSent(r training.Run, err error) (*oas.RunHeaders, error) {
	out, err := sent[oas.Run](r, err)
	if err != nil {
		return nil, err
	}
	return &oas.RunHeaders{Location: "/v1/runs/" + r.ID, Response: *out}, nil
}

// CancelRun answers cancelRun.
func (h *handler) CancelRun(ctx context.Context, req *oas.Reason, p oas.CancelRunParams) (*oas.Run, error) {
	return sent[oas.Run](h.RunActions.Cancel(ctx, actor(ctx), p.Run, req.Reason))
}

// ListRunSteps answers listRunSteps. A run that has not begun has none.
func (h *handler) ListRunSteps(ctx context.Context, p oas.ListRunStepsParams) (*oas.StepList, error) {
	run, err := h.Runs.Run(ctx, p.Run)
	if err != nil || run.Execution == "" {
		return &oas.StepList{Items: []oas.WorkflowStep{}}, err
	}
	items, err := sentAll[oas.WorkflowStep](h.Steps(ctx, run.Execution))
	return &oas.StepList{Items: items}, err
}

// GetRunMetrics answers getRunMetrics. A job that is about to be made has none.
func (h *handler) GetRunMetrics(ctx context.Context, p oas.GetRunMetricsParams) (*oas.MetricList, error) {
	run, err := h.Runs.Run(ctx, p.Run)
	if err != nil || run.Job == "" {
		return &oas.MetricList{Items: []oas.MetricPoint{}}, err
	}
	points, err := h.Metrics(ctx, run.Job)
	if errs.Is(err, errs.NotFound) {
		points, err = nil, nil
	}
	items, err := sentAll[oas.MetricPoint](points, err)
	return &oas.MetricList{Items: items}, err
}

// GetRunLogs answers getRunLogs. A job that is about to be made has written nothing.
func (h *handler) GetRunLogs(ctx context.Context, p oas.GetRunLogsParams) (*oas.LogPage, error) {
	run, err := h.Runs.Run(ctx, p.Run)
	if err != nil {
		return nil, err
	}
	if run.Job == "" {
		return &oas.LogPage{Lines: []string{}, Done: run.Status.Final()}, nil
	}
	lines, next, done, err := h.Logs(ctx, run.Job, p.After.Value)
	if errs.Is(err, errs.NotFound) {
		return &oas.LogPage{Lines: []string{}, Next: p.After.Value, Done: run.Status.Final()}, nil
	}
	return &oas.LogPage{Lines: append([]string{}, lines...), Next: next, Done: done}, err
}
