package local

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/tasks"
)

// steps tells the steps of an execution from its history, those of a nested evaluation after its own.
func (p *Platform) steps(ctx context.Context, execution string) ([]httpapi.Step, error) {
	events, err := p.states.GetExecutionHistory(ctx, execution)
	if err != nil {
		return nil, err
	}
	out := stepsOf(events)
	nested := strings.Replace(execution, ":train-model:", ":evaluate-model:", 1)
	if nested == execution {
		return out, nil
	}
	inner, err := p.states.GetExecutionHistory(ctx, nested)
	if errs.Is(err, errs.NotFound) {
		return out, nil
	}
	for _, s := range stepsOf(inner) {
		s.Name = "EvaluateModel/" + s.Name
		out = append(out, s)
	}
	return out, err
}

// stepsOf pairs entered with exited states, the first entered of a name first (the branches of a Map run at once),
// and marks those where an execution failed.
func stepsOf(events []asl.Event) []httpapi.Step {
	out, open := []httpapi.Step{}, map[string][]int{}
	for _, e := range events {
		name, _ := e.Details["name"].(string)
		switch {
		case strings.HasSuffix(e.Type, "StateEntered"):
			open[name] = append(open[name], len(out))
			out = append(out, httpapi.Step{Name: name, Status: status(e.Type), Started: e.Time})
		case strings.HasSuffix(e.Type, "StateExited"):
			if of := open[name]; len(of) > 0 {
				out[of[0]].Status, out[of[0]].Ended = "Succeeded", e.Time
				open[name] = of[1:]
			}
		case e.Type == "ExecutionFailed" || e.Type == "ExecutionAborted" || e.Type == "ExecutionTimedOut":
			fail(out, open, e)
		}
	}
	return out
}

func status(entered string) string {
	if strings.HasPrefix(entered, "Wait") {
		return "Waiting"
	}
	return "Running"
}

func fail(steps []httpapi.Step, open map[string][]int, e asl.Event) {
	for _, i := range slices.Concat(slices.Collect(maps.Values(open))...) {
		steps[i].Status, steps[i].Ended = "Failed", e.Time
		name, _ := e.Details["error"].(string)
		cause, _ := e.Details["cause"].(string)
		steps[i].Error = tasks.Failed(name, cause)
	}
}
