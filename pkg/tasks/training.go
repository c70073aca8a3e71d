package tasks

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// Training are the tasks of train-model and evaluate-model, and the sweep over the whole loop.
type Training struct {
	Dataset  *dataset.Service
	Training *training.Service
	Rollout  *rollout.Service
	Trail    audit.Anchored
}

// RunInput names a run.
type RunInput struct {
	Run string `json:"run"`
}

// Failure is a run's failure as a state machine caught it.
type Failure struct {
	Run   string `json:"run"`
	Error string `json:"error"`
	Cause string `json:"cause"`
}

// Handlers gives the tasks by function name.
func (t Training) Handlers() map[string]lambda.Handler {
	return map[string]lambda.Handler{
		"training-plan":     Handler(func(ctx context.Context, in RunInput) (training.Plan, error) { return t.Training.Plan(ctx, in.Run) }),
		"training-register": Handler(t.Training.Register),
		"training-fail":     Handler(t.fail),
		"training-conclude": Handler(t.conclude),
		"evaluation-plan": Handler(func(ctx context.Context, in RunInput) (training.EvalPlan, error) {
			return t.Training.PlanEvaluation(ctx, in.Run)
		}),
		"gate-decide":     Handler(t.Training.Judge),
		"release-request": Handler(t.requestRelease),
		"trigger-sweep":   Handler(t.Sweep),
	}
}

// Empty is the input or output of a task that needs none.
type Empty struct{}

func (t Training) fail(ctx context.Context, in Failure) (Empty, error) {
	return Empty{}, t.Training.Fail(ctx, in.Run, Failed(in.Error, in.Cause))
}

func (t Training) conclude(ctx context.Context, in RunInput) (Empty, error) {
	return Empty{}, t.Training.Conclude(ctx, in.Run, "", "")
}

// requestRelease asks for the release of a run's candidate in the name of who started the run. When
// something holds it back, the run ends with that as its note: it is no failure of the run.
func (t Training) requestRelease(ctx context.Context, in RunInput) (Empty, error) {
	run, err := t.Training.Run(ctx, in.Run)
	if err != nil {
		return Empty{}, err
	}
	rel, err := t.Rollout.Request(ctx, run.Actor, rollout.RequestInput{
		Model: run.Model, Version: run.Candidate, Reason: fmt.Sprintf("trained by %s", run.ID), Key: "release:" + run.ID})
	note := ""
	if errs.Is(err, errs.Held) {
		note, err = err.Error(), nil
	}
	if err != nil {
		return Empty{}, err
	}
	return Empty{}, t.Training.Conclude(ctx, run.ID, rel.ID, note)
}

// Sweep starts what is due, drives what was interrupted, and anchors the head of the audit trail.
func (t Training) Sweep(ctx context.Context, _ Empty) (Empty, error) {
	return Empty{}, errors.Join(t.Dataset.Sweep(ctx), t.Training.Sweep(ctx), t.Rollout.Sweep(ctx), t.Trail.Anchor(ctx))
}
