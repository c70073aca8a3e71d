package rollout

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/table"
)

func approvalKey(id string) table.Key { return table.Key{PK: "APPROVAL#" + id, SK: "META"} }
func tokenKey(id string) table.Key    { return table.Key{PK: "APPROVAL#" + id, SK: "TOKEN"} }

func releaseNode(id string) lineage.Node { return lineage.Node{Type: "release", ID: id} }

func edge(from, to lineage.Node) table.Op { return lineage.Edge(from, to) }

// saveApproval keeps a pending approval in an index of its own, so that sweeps read only those.
func saveApproval(a Approval, rev int64) table.Op {
	idx := map[table.Index]table.Key{table.GSI1: {PK: "APPROVALS", SK: a.ID}}
	if a.Status == "Pending" {
		idx[table.GSI2] = table.Key{PK: "PENDING", SK: a.ID}
	}
	return table.Save(approvalKey(a.ID), a, rev, idx)
}

// Approval gives one approval.
func (s *Service) Approval(ctx context.Context, id string) (Approval, error) {
	a, err := table.Load[Approval](ctx, s.Table, approvalKey(id))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no approval %q", id)
	}
	return a, err
}

// Approvals lists approvals, newest first; an empty status lists all.
func (s *Service) Approvals(ctx context.Context, status string) ([]Approval, error) {
	q := table.Query{Index: table.GSI1, PK: "APPROVALS", Descending: true}
	if status == "Pending" {
		q.Index, q.PK = table.GSI2, "PENDING"
	}
	all, err := table.All[Approval](ctx, s.Table, q)
	if status != "" {
		all = slices.DeleteFunc(all, func(a Approval) bool { return a.Status != status })
	}
	return all, err
}

// tokenRecord keeps the task token of the execution that waits for an approval.
type tokenRecord struct {
	Token string `json:"token"`
	Rev   int64  `json:"rev"`
}

// AwaitApproval records the token to answer once people have decided. When they already have (a
// restart, a race), it answers at once.
func (s *Service) AwaitApproval(ctx context.Context, release, token string) error {
	rel, err := s.Release(ctx, release)
	if err != nil {
		return err
	}
	err = retry(func() error {
		old, err := table.Load[tokenRecord](ctx, s.Table, tokenKey(rel.Approval))
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		_, err = s.Log.Commit(ctx, audit.Change{Actor: audit.System("rollout"), Type: "ApprovalAwaited",
			Subject: audit.Subject{Type: "approval", ID: rel.Approval},
			Ops:     []table.Op{table.Save(tokenKey(rel.Approval), tokenRecord{Token: token}, old.Rev, nil)}})
		return err
	})
	if err != nil {
		return err
	}
	return s.answer(ctx, rel.Approval)
}

// answer tells the waiting execution the decision, if there is one.
func (s *Service) answer(ctx context.Context, id string) error {
	app, err := s.Approval(ctx, id)
	if err != nil || app.Status == "Pending" {
		return err
	}
	tok, err := table.Load[tokenRecord](ctx, s.Table, tokenKey(id))
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	err = s.Workflow.Answer(ctx, tok.Token, map[string]any{"status": app.Status})
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return s.Table.Write(ctx, "", table.Op{Kind: table.Delete, Item: table.Item{Key: tokenKey(id)}})
}

// DecideInput is one person's decision. Binding is what that person saw; when set it must be what is
// being decided.
type DecideInput struct {
	Approve bool
	Reason  string
	Binding *Binding
}

// Decide records a decision. The requester cannot decide, nobody decides twice, and when what was to
// be approved is no longer what it was, the approval is voided.
func (s *Service) Decide(ctx context.Context, by audit.Actor, id string, in DecideInput) (Approval, error) {
	var app Approval
	err := retry(func() error {
		was, err := s.Approval(ctx, id)
		if err != nil {
			return err
		}
		if err := s.mayDecide(by, was, in); err != nil {
			return err
		}
		app, err = s.decided(ctx, by, was, in)
		if err != nil {
			return err
		}
		_, err = s.Log.Commit(ctx, audit.Change{Actor: by, Type: "Approval" + app.Status, Reason: in.Reason, Data: app,
			Before: audit.JSON(was), After: audit.JSON(app), Subject: audit.Subject{Type: "approval", ID: id},
			Ops: []table.Op{saveApproval(app, was.Rev)}})
		return err
	})
	if err != nil {
		return app, err
	}
	if app.Status == "Voided" {
		err = errs.New(errs.Precondition, "what was to be approved has changed; the approval is void").Mend("request the release again")
	}
	return app, cmp.Or(s.answer(ctx, id), err)
}

func (s *Service) mayDecide(by audit.Actor, a Approval, in DecideInput) error {
	switch {
	case a.Status != "Pending":
		return errs.New(errs.Precondition, "approval %s is %s already", a.ID, strings.ToLower(a.Status))
	case s.Clock().After(a.Expires):
		return errs.New(errs.Precondition, "approval %s expired at %s", a.ID, a.Expires.Format("2006-01-02 15:04")).Mend("request the release again")
	case by.ID == a.Requester.ID:
		return errs.New(errs.Forbidden, "%s requested this release and cannot decide on it", by.Name).Mend("ask another approver")
	case strings.TrimSpace(in.Reason) == "":
		return errs.New(errs.Invalid, "a decision needs a reason").At("/reason").Mend("say in a few words why")
	case slices.ContainsFunc(a.Decisions, func(d Decision) bool { return d.Actor.ID == by.ID }):
		return errs.New(errs.Forbidden, "%s has decided already", by.Name).Mend("another approver is needed")
	case in.Binding != nil && *in.Binding != a.Binding:
		return errs.New(errs.Precondition, "what you saw is not what is to be approved").Mend("reload the page")
	}
	return nil
}

// decided gives the approval after a decision; it is voided when the candidate or its report changed.
func (s *Service) decided(ctx context.Context, by audit.Actor, a Approval, in DecideInput) (Approval, error) {
	v, err := s.Registry.Version(ctx, a.Model, a.Version)
	if err != nil {
		return a, err
	}
	now := s.Clock()
	a.Decisions = append(slices.Clone(a.Decisions), Decision{Actor: by, Approve: in.Approve, Reason: in.Reason, Time: now})
	switch {
	case v.Digest != a.Binding.Candidate || v.Report != a.Binding.Report || v.Policy != a.Binding.Policy:
		a.Status, a.Decided = "Voided", now
	case !in.Approve:
		a.Status, a.Decided = "Rejected", now
	case len(a.Decisions) >= a.Required:
		a.Status, a.Decided = "Approved", now
	}
	a.Rev++
	return a, nil
}

// expire ends the approvals that nobody decided in time.
func (s *Service) expire(ctx context.Context) error {
	pending, err := s.Approvals(ctx, "Pending")
	for _, a := range pending {
		if s.Clock().Before(a.Expires) {
			continue
		}
		was := a.Rev
		a.Status, a.Decided, a.Rev = "Expired", s.Clock(), a.Rev+1
		_, err = s.Log.Commit(ctx, audit.Change{Actor: audit.System("rollout"), Type: "ApprovalExpired", Data: a,
			Subject: audit.Subject{Type: "approval", ID: a.ID}, Ops: []table.Op{saveApproval(a, was)}})
		if err == nil {
			err = s.answer(ctx, a.ID)
		}
	}
	return err
}
