package states_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/states"
	"github.com/perennial-llm/perennial/pkg/errs"
)

const prefix = "arn:aws:states:eu-central-1:111122223333:stateMachine:perennial-"

// fake answers as Step Functions does for one account.
type fake struct {
	err       error
	started   []sfn.StartExecutionInput
	stopped   []sfn.StopExecutionInput
	succeeded []sfn.SendTaskSuccessInput
	history   map[string][]types.HistoryEvent
}

func (f *fake) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	f.started = append(f.started, *in)
	return &sfn.StartExecutionOutput{ExecutionArn: aws.String("arn:new")}, f.err
}

func (f *fake) StopExecution(_ context.Context, in *sfn.StopExecutionInput, _ ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	f.stopped = append(f.stopped, *in)
	return &sfn.StopExecutionOutput{}, f.err
}

func (f *fake) SendTaskSuccess(_ context.Context, in *sfn.SendTaskSuccessInput, _ ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error) {
	f.succeeded = append(f.succeeded, *in)
	return &sfn.SendTaskSuccessOutput{}, f.err
}

// GetExecutionHistory gives one event a page.
func (f *fake) GetExecutionHistory(_ context.Context, in *sfn.GetExecutionHistoryInput, _ ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	events, ok := f.history[*in.ExecutionArn]
	if !ok {
		return nil, &types.ExecutionDoesNotExist{}
	}
	at := len(aws.ToString(in.NextToken))
	out := &sfn.GetExecutionHistoryOutput{Events: events[at : at+1]}
	if at+1 < len(events) {
		out.NextToken = aws.String(aws.ToString(in.NextToken) + "x")
	}
	return out, nil
}

func TestWorkflow_Start(t *testing.T) {
	t.Run("by name", func(t *testing.T) {
		f := &fake{}
		arn, err := states.New(f, prefix).Start(t.Context(), "train-model", "run_1", map[string]string{"run": "run_1"})
		require.NoError(t, err)
		require.Equal(t, "arn:new", arn)
		require.Equal(t, prefix+"train-model", *f.started[0].StateMachineArn)
		require.JSONEq(t, `{"run":"run_1"}`, *f.started[0].Input)
	})
	t.Run("an execution of that name is as good", func(t *testing.T) {
		arn, err := states.New(&fake{err: &types.ExecutionAlreadyExists{}}, prefix).Start(t.Context(), "train-model", "run_1", nil)
		require.NoError(t, err)
		require.Equal(t, "arn:aws:states:eu-central-1:111122223333:execution:perennial-train-model:run_1", arn)
	})
	for name, c := range map[string]struct {
		err  error
		want errs.Code
	}{
		"an unknown machine":    {&types.StateMachineDoesNotExist{}, errs.NotFound},
		"a bad name":            {&types.InvalidName{}, errs.Invalid},
		"too many executions":   {&types.ExecutionLimitExceeded{}, errs.Unavailable},
		"no way to the service": {errors.New("dial tcp"), errs.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := states.New(&fake{err: c.err}, prefix).Start(t.Context(), "train-model", "run_1", nil)
			require.Equal(t, c.want, errs.CodeOf(err))
		})
	}
}

func TestWorkflow_Stop(t *testing.T) {
	f := &fake{}
	require.NoError(t, states.New(f, prefix).Stop(t.Context(), "arn:1", "cancelled: enough"))
	require.Equal(t, "Cancelled", *f.stopped[0].Error)
	require.NoError(t, states.New(&fake{err: &types.ExecutionDoesNotExist{}}, prefix).Stop(t.Context(), "arn:1", "x"))
}

func TestWorkflow_Answer(t *testing.T) {
	f := &fake{}
	require.NoError(t, states.New(f, prefix).Answer(t.Context(), "token", map[string]string{"status": "Approved"}))
	require.JSONEq(t, `{"status":"Approved"}`, *f.succeeded[0].Output)
	for _, gone := range []error{&types.TaskTimedOut{}, &types.TaskDoesNotExist{}, &types.InvalidToken{}} {
		err := states.New(&fake{err: gone}, prefix).Answer(t.Context(), "token", nil)
		require.Equal(t, errs.NotFound, errs.CodeOf(err))
	}
}

func TestWorkflow_Steps(t *testing.T) {
	at := func(s int) *time.Time { return aws.Time(time.Unix(int64(s), 0).UTC()) }
	enter := func(s int, name string, kind types.HistoryEventType) types.HistoryEvent {
		return types.HistoryEvent{Timestamp: at(s), Type: kind, StateEnteredEventDetails: &types.StateEnteredEventDetails{Name: &name}}
	}
	exit := func(s int, name string) types.HistoryEvent {
		return types.HistoryEvent{Timestamp: at(s), StateExitedEventDetails: &types.StateExitedEventDetails{Name: &name}}
	}
	f := &fake{history: map[string][]types.HistoryEvent{
		"arn:aws:states:eu-central-1:111122223333:execution:perennial-train-model:run_1": {
			enter(1, "PlanTraining", types.HistoryEventTypeTaskStateEntered), exit(2, "PlanTraining"), enter(2, "EvaluateModel", types.HistoryEventTypeTaskStateEntered)},
		"arn:aws:states:eu-central-1:111122223333:execution:perennial-evaluate-model:run_1": {
			enter(3, "Score", types.HistoryEventTypeTaskStateEntered), enter(3, "Score", types.HistoryEventTypeTaskStateEntered), exit(4, "Score"), exit(5, "Score"),
			enter(3, "Rest", types.HistoryEventTypeWaitStateEntered),
			{Timestamp: at(5), ExecutionFailedEventDetails: &types.ExecutionFailedEventDetails{Error: aws.String("Invalid"), Cause: aws.String("no items")}}},
	}}
	steps, err := states.New(f, prefix).Steps(t.Context(), "arn:aws:states:eu-central-1:111122223333:execution:perennial-train-model:run_1")
	require.NoError(t, err)
	require.Equal(t, []states.Step{
		{Name: "PlanTraining", Status: "Succeeded", Started: *at(1), Ended: *at(2)},
		{Name: "EvaluateModel", Status: "Running", Started: *at(2)},
		{Name: "EvaluateModel/Score", Status: "Succeeded", Started: *at(3), Ended: *at(4)},
		{Name: "EvaluateModel/Score", Status: "Succeeded", Started: *at(3), Ended: *at(5)},
		{Name: "EvaluateModel/Rest", Status: "Failed", Started: *at(3), Ended: *at(5), Error: "Invalid", Cause: "no items"},
	}, steps)
	_, err = states.New(f, prefix).Steps(t.Context(), "arn:none")
	require.Equal(t, errs.NotFound, errs.CodeOf(err))
}
