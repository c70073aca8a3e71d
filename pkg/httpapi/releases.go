package httpapi

import (
	"context"

	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// ListApprovals answers listApprovals.
func (h *handler) ListApprovals(ctx context.Context, p oas.ListApprovalsParams) (*oas.ApprovalList, error) {
	list, err := h.Approvals.Approvals(ctx, string(p.Status.Value))
	items, err := sentAll[oas.Approval](list[:min(len(list), p.Limit.Value)], err)
	return &oas.ApprovalList{Items: items}, err
}

// GetApproval answers getApproval.
func (h *handler) GetApproval(ctx context.Context, p oas.GetApprovalParams) (*oas.Approval, error) {
	return sent[oas.Approval](h.Approvals.Approval(ctx, p.Approval))
}

// DecideApproval answers decideApproval.
func (h *handler) DecideApproval(ctx context.Context, req *oas.DecisionNew, p oas.DecideApprovalParams) (*oas.Approval, error) {
	b := rollout.Binding{Candidate: req.Binding.Candidate, Report: req.Binding.Report, Policy: req.Binding.Policy,
		Environment: req.Binding.Environment}
	return sent[oas.Approval](h.Approvals.Decide(ctx, actor(ctx), p.Approval,
		rollout.DecideInput{Approve: req.Approve, Reason: req.Reason, Binding: &b}))
}

// ListReleases answers listReleases.
func (h *handler) ListReleases(ctx context.Context, p oas.ListReleasesParams) (*oas.ReleaseList, error) {
	list, next, err := h.Releases.Releases(ctx, p.Model.Value, p.Limit.Value, p.Cursor.Value)
	items, err := sentAll[oas.Release](list, err)
	return &oas.ReleaseList{Items: items, NextCursor: opt(next)}, err
}

// RequestRelease answers requestRelease.
func (h *handler) RequestRelease(ctx context.Context, req *oas.ReleaseNew, _ oas.RequestReleaseParams) (*oas.ReleaseHeaders, error) {
	if err := h.within(ctx, req.Environments...); err != nil {
		return nil, err
	}
	rel, err := h.Releases.Request(ctx, actor(ctx), rollout.RequestInput{Model: req.Model, Version: req.Version,
		Environments: req.Environments, Reason: req.Reason.Value, BreakGlass: req.BreakGlass.Value, Key: requestOf(ctx).Key})
	out, err := sent[oas.Release](rel, err)
	if err != nil {
		return nil, err
	}
	return &oas.ReleaseHeaders{Location: "/v1/releases/" + rel.ID, Response: *out}, nil
}

// GetRelease answers getRelease.
func (h *handler) GetRelease(ctx context.Context, p oas.GetReleaseParams) (*oas.Release, error) {
	return sent[oas.Release](h.Releases.Release(ctx, p.Release))
}

// AbortRelease answers abortRelease.
func (h *handler) AbortRelease(ctx context.Context, req *oas.Reason, p oas.AbortReleaseParams) (*oas.Release, error) {
	rel, err := h.Releases.Release(ctx, p.Release)
	if err != nil {
		return nil, err
	}
	if err := h.within(ctx, rel.Environments...); err != nil {
		return nil, err
	}
	return sent[oas.Release](h.Releases.Abort(ctx, actor(ctx), p.Release, req.Reason))
}
