package training

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/table"
)

// PolicyVersion is one immutable version of a model's gate policy.
type PolicyVersion struct {
	Model   string          `json:"model"`
	Number  int             `json:"number"` // from 1
	Digest  string          `json:"digest"`
	Policy  json.RawMessage `json:"policy"` // gate-policy/v1
	Actor   audit.Actor     `json:"actor"`
	Reason  string          `json:"reason"`
	Created time.Time       `json:"created"`
}

func policyKey(model string, n int) table.Key {
	return table.Key{PK: "MODEL#" + model, SK: fmt.Sprintf("POLICY#%06d", n)}
}

// SetPolicy gives a model its next policy version, which holds from the next verdict on. Setting what holds
// already changes nothing. errs.Invalid names the field that is wrong.
func (s *Service) SetPolicy(ctx context.Context, by audit.Actor, model string, raw []byte, reason string) (PolicyVersion, error) {
	policy, err := gate.ParsePolicy(raw)
	if err != nil {
		return PolicyVersion{}, err
	}
	old, err := s.Policies(ctx, model)
	if err != nil {
		return PolicyVersion{}, err
	}
	if len(old) > 0 && old[0].Digest == policy.Digest() {
		return old[0], nil
	}
	body, err := json.Marshal(policy)
	if err != nil {
		return PolicyVersion{}, fmt.Errorf("write policy: %w", err)
	}
	next := PolicyVersion{Model: model, Number: 1, Digest: policy.Digest(), Policy: body, Actor: by, Reason: reason, Created: s.Clock()}
	before := audit.JSON(nil)
	if len(old) > 0 {
		next.Number, before = old[0].Number+1, audit.JSON(old[0])
	}
	_, err = s.Log.Commit(ctx, audit.Change{Actor: by, Type: "GatePolicySet", Subject: audit.Subject{Type: "model", ID: model}, Reason: reason,
		Data: next, Before: before, After: audit.JSON(next), Ops: []table.Op{table.Save(policyKey(model, next.Number), next, 0, nil)}})
	if errs.Is(err, errs.Conflict) {
		err = errs.New(errs.Precondition, "the policy of model %s changed meanwhile", model).Mend("load it again and repeat the change")
	}
	return next, err
}

// Policies gives the versions of a model's policy, newest first; none when the host's default holds.
func (s *Service) Policies(ctx context.Context, model string) ([]PolicyVersion, error) {
	if _, err := s.Registry.Model(ctx, model); err != nil {
		return nil, err
	}
	return table.All[PolicyVersion](ctx, s.Table, table.Query{
		PK: "MODEL#" + model, Prefix: "POLICY#", Descending: true, Consistency: table.Consistent})
}

// policy is what a model's candidates are judged by: its own newest version, else the host's default.
func (s *Service) policy(ctx context.Context, model string) (gate.Policy, error) {
	own, err := s.Policies(ctx, model)
	if err != nil || len(own) == 0 {
		return s.Policy, err
	}
	policy, err := gate.ParsePolicy(own[0].Policy)
	if err != nil {
		return policy, fmt.Errorf("policy %d of model %s: %w", own[0].Number, model, err)
	}
	return policy, nil
}
