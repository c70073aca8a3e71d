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
	Number  int             `json:"number"` // from 1; 0 is the host's default
	Digest  string          `json:"digest"`
	Policy  json.RawMessage `json:"policy"` // gate-policy/v1
	Actor   audit.Actor     `json:"actor,omitzero"`
	Reason  string          `json:"reason,omitempty"`
	Created time.Time       `json:"created,omitzero"`
}

func policyKey(model string, n int) table.Key {
	return table.Key{PK: "MODEL#" + model, SK: fmt.Sprintf("POLICY#%06d", n)}
}

// SetPolicy gives a model the policy version after number, which holds from the next verdict on. Setting what
// holds already changes nothing. errs.Invalid names the field that is wrong; errs.Precondition says that
// another version came first.
func (s *Service) SetPolicy(ctx context.Context, by audit.Actor, model string, number int, raw []byte, reason string) (PolicyVersion, error) {
	policy, err := gate.ParsePolicy(raw)
	if err != nil {
		return PolicyVersion{}, err
	}
	old, err := s.GatePolicy(ctx, model)
	if err != nil {
		return PolicyVersion{}, err
	}
	if old.Number > 0 && old.Digest == policy.Digest() {
		return old, nil
	}
	changed := errs.New(errs.Precondition, "the policy of model %s changed meanwhile", model).Mend("load it again and repeat the change")
	if old.Number != number {
		return PolicyVersion{}, changed
	}
	next, err := policyVersion(model, number+1, policy)
	if err != nil {
		return next, err
	}
	next.Actor, next.Reason, next.Created = by, reason, s.Clock()
	_, err = s.Log.Commit(ctx, audit.Change{Actor: by, Type: "GatePolicySet", Subject: audit.Subject{Type: "model", ID: model}, Reason: reason,
		Data: next, Before: audit.JSON(old), After: audit.JSON(next), Ops: []table.Op{table.Save(policyKey(model, next.Number), next, 0, nil)}})
	if errs.Is(err, errs.Conflict) {
		return PolicyVersion{}, changed
	}
	return next, err
}

func policyVersion(model string, number int, policy gate.Policy) (PolicyVersion, error) {
	body, err := json.Marshal(policy)
	if err != nil {
		return PolicyVersion{}, fmt.Errorf("write policy: %w", err)
	}
	return PolicyVersion{Model: model, Number: number, Digest: policy.Digest(), Policy: body}, nil
}

// GatePolicy is what a model's candidates are judged by: its own newest version, else the host's default.
func (s *Service) GatePolicy(ctx context.Context, model string) (PolicyVersion, error) {
	own, err := s.Policies(ctx, model)
	if err != nil {
		return PolicyVersion{}, err
	}
	if len(own) == 0 {
		return policyVersion(model, 0, s.Policy)
	}
	return own[0], nil
}

// Policies gives the versions of a model's policy, newest first; none when the host's default holds.
func (s *Service) Policies(ctx context.Context, model string) ([]PolicyVersion, error) {
	if _, err := s.Registry.Model(ctx, model); err != nil {
		return nil, err
	}
	return table.All[PolicyVersion](ctx, s.Table, table.Query{
		PK: "MODEL#" + model, Prefix: "POLICY#", Descending: true, Consistency: table.Consistent})
}

func (s *Service) policy(ctx context.Context, model string) (gate.Policy, error) {
	holds, err := s.GatePolicy(ctx, model)
	if err != nil {
		return gate.Policy{}, err
	}
	policy, err := gate.ParsePolicy(holds.Policy)
	if err != nil {
		return policy, fmt.Errorf("policy %d of model %s: %w", holds.Number, model, err)
	}
	return policy, nil
}
