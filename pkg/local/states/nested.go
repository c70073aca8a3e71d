package states

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/errs"
)

const startExecution = "arn:aws:states:::states:startExecution"

// registerNested makes the service perform nested executions itself.
func (s *Service) registerNested() {
	s.tasks[startExecution] = s.nested(false, false)
	s.tasks[startExecution+".sync"] = s.nested(true, false)
	s.tasks[startExecution+".sync:2"] = s.nested(true, true)
}

// nestedArguments are StartExecution's own; AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID travels in Input.
type nestedArguments struct {
	StateMachineArn string
	Name            string
	Input           json.RawMessage
	TraceHeader     string
}

func (s *Service) nested(sync, parsed bool) asl.Integration {
	return func(ctx context.Context, t asl.Task) (json.RawMessage, error) {
		arn, err := s.startNested(ctx, t)
		if err != nil {
			return nil, err
		}
		d, err := s.find(ctx, arn)
		if err != nil {
			return nil, err
		}
		accepted := jsonOf(map[string]any{"ExecutionArn": arn, "StartDate": d.execution.StartedAt.UnixMilli()})
		if !sync {
			return accepted, nil
		}
		t.Submitted(accepted)
		return s.awaitNested(ctx, arn, parsed)
	}
}

// startNested starts the child under a name that is the task's own, so that a redriven task finds it.
func (s *Service) startNested(ctx context.Context, t asl.Task) (string, error) {
	var a nestedArguments
	d := json.NewDecoder(bytes.NewReader(t.Arguments))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return "", asl.Fail("States.Runtime", "The Arguments could not be used to start the execution: "+err.Error())
	}
	if a.Name == "" {
		a.Name = t.ID
	}
	if a.Input == nil {
		a.Input = json.RawMessage("{}")
	}
	var text string // an input given as a text is the JSON text itself
	if json.Unmarshal(a.Input, &text) == nil {
		a.Input = json.RawMessage(text)
	}
	name := a.StateMachineArn[strings.LastIndex(a.StateMachineArn, ":")+1:]
	arn, err := s.start(ctx, name, a.Name, a.Input, t.ID)
	return arn, asSFN(err)
}

// asSFN names an error as the Step Functions integration does.
func asSFN(err error) error {
	var e *errs.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	for _, known := range []error{ErrStateMachineDoesNotExist, ErrExecutionAlreadyExists, ErrInvalidName, ErrInvalidExecutionInput} {
		if errors.Is(err, known) {
			return asl.Fail("StepFunctions."+known.Error()+"Exception", e.Message)
		}
	}
	return err
}

// awaitNested waits for the child's end; an aborted task stops its child.
func (s *Service) awaitNested(ctx context.Context, arn string, parsed bool) (json.RawMessage, error) {
	for {
		if a := s.actor(arn); a != nil {
			select {
			case <-a.ended:
			case <-ctx.Done():
				return nil, s.abandon(ctx, arn)
			}
		}
		r, err := s.find(context.WithoutCancel(ctx), arn)
		if err != nil {
			return nil, err
		}
		if r.execution.Status != asl.Running {
			return nestedOutcome(r.execution, parsed)
		}
		if err := s.resume(ctx, r); err != nil {
			return nil, err
		}
	}
}

func (s *Service) abandon(ctx context.Context, arn string) error {
	if errors.Is(context.Cause(ctx), asl.ErrTaskAborted) {
		return errors.Join(ctx.Err(), s.StopExecution(context.WithoutCancel(ctx), arn, "", ""))
	}
	return ctx.Err()
}

// nestedOutcome is what DescribeExecution answers, in the integration's spelling.
func nestedOutcome(x asl.Execution, parsed bool) (json.RawMessage, error) {
	included := map[string]any{"Included": true}
	text := func(raw json.RawMessage) any {
		if parsed {
			return raw
		}
		return string(raw)
	}
	d := map[string]any{
		"ExecutionArn": x.ARN, "Input": text(x.Input), "InputDetails": included, "Name": x.Name, "StartDate": x.StartedAt.UnixMilli(),
		"StateMachineArn": x.MachineARN, "Status": x.Status, "StopDate": x.StoppedAt.UnixMilli(), "RedriveCount": x.RedriveCount, "RedriveStatus": "REDRIVABLE",
	}
	if x.Status == asl.Succeeded {
		d["RedriveStatus"], d["RedriveStatusReason"] = "NOT_REDRIVABLE", "Execution is SUCCEEDED and cannot be redriven"
		d["Output"], d["OutputDetails"] = text(x.Output), included
		return jsonOf(d), nil
	}
	if x.Failure != nil && x.Failure.Name != nil {
		d["Error"] = *x.Failure.Name
	}
	if x.Failure != nil && x.Failure.Cause != nil {
		d["Cause"] = *x.Failure.Cause
	}
	return nil, asl.Fail("States.TaskFailed", string(jsonOf(d)))
}
