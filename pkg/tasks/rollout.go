package tasks

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/perennial-llm/perennial/pkg/rollout"
)

// Rollout are the tasks of release-model and rollback-release.
type Rollout struct{ Service *rollout.Service }

// ApprovalInput carries the token of the execution that waits.
type ApprovalInput struct {
	Release string `json:"release"`
	Token   string `json:"token"`
}

// RevertInput says why traffic goes back.
type RevertInput struct {
	rollout.Place
	Reason string `json:"reason"`
}

// DeclineInput says how an approval ended.
type DeclineInput struct {
	Release string `json:"release"`
	Status  string `json:"status"`
}

// RollbackInput names a rollback and, for a failed one, the cause.
type RollbackInput struct {
	Rollback string `json:"rollback"`
	Cause    string `json:"cause"`
}

// Shifted is the share of traffic that a step gave.
type Shifted struct {
	Weight int `json:"weight"` // percent
}

// Handlers gives the tasks by function name.
func (t Rollout) Handlers() map[string]lambda.Handler {
	s := t.Service
	return map[string]lambda.Handler{
		"approval-request": Handler(func(ctx context.Context, in ApprovalInput) (Empty, error) {
			return Empty{}, s.AwaitApproval(ctx, in.Release, in.Token)
		}),
		"rollout-prepare": Handler(s.Prepare),
		"rollout-verify":  Handler(func(ctx context.Context, p rollout.Place) (Empty, error) { return Empty{}, s.Verify(ctx, p) }),
		"rollout-shift": Handler(func(ctx context.Context, p rollout.Place) (Shifted, error) {
			w, err := s.Shift(ctx, p)
			return Shifted{w}, err
		}),
		"rollout-judge":  Handler(s.Judge),
		"rollout-finish": Handler(s.Finish),
		"rollout-revert": Handler(func(ctx context.Context, in RevertInput) (rollout.Finished, error) {
			return s.Revert(ctx, in.Place, in.Reason)
		}),
		"release-close": Handler(func(ctx context.Context, p rollout.Place) (Empty, error) { return Empty{}, s.Close(ctx, p.Release) }),
		"release-decline": Handler(func(ctx context.Context, in DeclineInput) (Empty, error) {
			return Empty{}, s.Decline(ctx, in.Release, in.Status)
		}),
		"rollback-verify": Handler(func(ctx context.Context, in RollbackInput) (rollout.Rollback, error) {
			return s.VerifyRollback(ctx, in.Rollback)
		}),
		"rollback-fail": Handler(func(ctx context.Context, in RollbackInput) (Empty, error) {
			return Empty{}, s.FailRollback(ctx, in.Rollback, in.Cause)
		}),
	}
}
