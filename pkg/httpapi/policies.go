package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/training"
)

// GetGatePolicy answers getGatePolicy.
func (h *handler) GetGatePolicy(ctx context.Context, p oas.GetGatePolicyParams) (*oas.GatePolicyHeaders, error) {
	return policySent(h.GatePolicies.GatePolicy(ctx, p.Model))
}

// ListGatePolicies answers listGatePolicies.
func (h *handler) ListGatePolicies(ctx context.Context, p oas.ListGatePoliciesParams) (*oas.GatePolicyList, error) {
	items, err := sentAll[oas.GatePolicy](h.GatePolicies.Policies(ctx, p.Model))
	return &oas.GatePolicyList{Items: items}, err
}

// mostPolicy bounds a policy in bytes: a record has room for 400 KB in all.
const mostPolicy = 64 << 10

// SetGatePolicy answers setGatePolicy.
func (h *handler) SetGatePolicy(ctx context.Context, req *oas.GatePolicyChange, p oas.SetGatePolicyParams) (*oas.GatePolicyHeaders, error) {
	rev, err := revision(p.IfMatch.Value)
	if err != nil {
		return nil, err
	}
	body, err := req.Policy.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode policy: %w", err)
	}
	if len(body) > mostPolicy {
		return nil, errs.New(errs.Invalid, "%d bytes of policy, more than %d", len(body), mostPolicy).At("/policy")
	}
	v, err := h.GatePolicies.SetPolicy(ctx, actor(ctx), p.Model, int(rev), body, req.Reason)
	return policySent(v, inPolicy(err))
}

// inPolicy points into the body at the field of a policy that is wrong.
func inPolicy(err error) error {
	var wrong *errs.Error
	if !errors.As(err, &wrong) || wrong.Code != errs.Invalid {
		return err
	}
	return errs.New(errs.Invalid, "%s", wrong.Message).Mend("%s", wrong.Hint).
		At(strings.TrimSuffix("/policy/"+strings.ReplaceAll(wrong.Where, ".", "/"), "/"))
}

func policySent(v training.PolicyVersion, err error) (*oas.GatePolicyHeaders, error) {
	out, err := sent[oas.GatePolicy](v, err)
	if err != nil {
		return nil, err
	}
	return &oas.GatePolicyHeaders{ETag: etag(int64(v.Number)), Response: *out}, nil
}

// SetAnchor answers setAnchor.
func (h *handler) SetAnchor(ctx context.Context, req *oas.AnchorChange, p oas.SetAnchorParams) (*oas.ModelHeaders, error) {
	rev, err := revision(p.IfMatch.Value)
	if err != nil {
		return nil, err
	}
	return modelSent(h.Anchors.SetAnchor(ctx, actor(ctx), p.Model, rev, req.Version, req.Reason))
}
