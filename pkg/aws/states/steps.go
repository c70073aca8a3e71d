package states

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Step is one state that an execution entered.
type Step struct {
	Name    string
	Status  string // Running, Waiting, Succeeded or Failed
	Started time.Time
	Ended   time.Time // zero while it runs
	Error   string    // the name of what failed it
	Cause   string    // as Step Functions gives it
}

// parent starts evaluation within itself, under the same execution name.
const parent, evaluation = "train-model", "evaluate-model"

// Steps gives the steps of an execution in order, those of a nested evaluation after its own.
func (w Workflow) Steps(ctx context.Context, execution string) ([]Step, error) {
	out, err := w.steps(ctx, execution)
	name, isParent := strings.CutPrefix(execution, w.execution(parent, ""))
	if err != nil || !isParent {
		return out, err
	}
	inner, err := w.steps(ctx, w.execution(evaluation, name))
	if errs.Is(err, errs.NotFound) {
		return out, nil
	}
	for _, s := range inner {
		s.Name = "EvaluateModel/" + s.Name
		out = append(out, s)
	}
	return out, err
}

func (w Workflow) steps(ctx context.Context, execution string) ([]Step, error) {
	h := history{open: map[string][]int{}}
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, MaxResults: 1000, IncludeExecutionData: aws.Bool(false)}
	for {
		page, err := w.api.GetExecutionHistory(ctx, in)
		if err != nil {
			return nil, classify("read history", err)
		}
		for _, e := range page.Events {
			h.add(e)
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return h.steps, nil
		}
	}
}

// history pairs entered with exited states.
type history struct {
	steps []Step
	open  map[string][]int // indexes of the running steps of a name, first entered first: branches of a Map run at once
}

func (h *history) add(e types.HistoryEvent) {
	switch {
	case e.StateEnteredEventDetails != nil:
		name := aws.ToString(e.StateEnteredEventDetails.Name)
		h.open[name] = append(h.open[name], len(h.steps))
		h.steps = append(h.steps, Step{Name: name, Status: entered(e.Type), Started: aws.ToTime(e.Timestamp)})
	case e.StateExitedEventDetails != nil:
		h.end(aws.ToString(e.StateExitedEventDetails.Name), Step{Status: "Succeeded"}, e)
	case e.ExecutionFailedEventDetails != nil:
		h.fail(e, e.ExecutionFailedEventDetails.Error, e.ExecutionFailedEventDetails.Cause)
	case e.ExecutionAbortedEventDetails != nil:
		h.fail(e, e.ExecutionAbortedEventDetails.Error, e.ExecutionAbortedEventDetails.Cause)
	case e.ExecutionTimedOutEventDetails != nil:
		h.fail(e, e.ExecutionTimedOutEventDetails.Error, e.ExecutionTimedOutEventDetails.Cause)
	}
}

func entered(t types.HistoryEventType) string {
	if t == types.HistoryEventTypeWaitStateEntered {
		return "Waiting"
	}
	return "Running"
}

func (h *history) end(name string, as Step, e types.HistoryEvent) {
	if of := h.open[name]; len(of) > 0 {
		s := &h.steps[of[0]]
		s.Status, s.Error, s.Cause, s.Ended = as.Status, as.Error, as.Cause, aws.ToTime(e.Timestamp)
		h.open[name] = of[1:]
	}
}

// fail marks the states that an execution was in when it ended.
func (h *history) fail(e types.HistoryEvent, code, cause *string) {
	failed := Step{Status: "Failed", Error: aws.ToString(code), Cause: aws.ToString(cause)}
	for name, of := range h.open {
		for range of {
			h.end(name, failed, e)
		}
	}
}
