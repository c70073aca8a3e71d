package tasks_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/tasks"
)

type doubleIn struct {
	N int `json:"n"`
}

func TestHandler_AnswersErrorsByTheNamesThatMachinesCatch(t *testing.T) {
	for _, c := range []struct {
		payload string
		err     error
		want    messages.InvokeResponse_Error
	}{
		{`{"n":1}`, errs.New(errs.Held, "run 1 is in progress").Mend("wait"), messages.InvokeResponse_Error{Type: "Held", Message: "run 1 is in progress (wait)"}},
		{`{"n":1}`, fmt.Errorf("save: %w", errs.New(errs.Unavailable, "slow down")), messages.InvokeResponse_Error{Type: "Unavailable", Message: "save: slow down"}},
		{`{"n":1}`, errors.New("boom"), messages.InvokeResponse_Error{Type: "Internal", Message: "boom"}},
		{`{"n":1}`, fmt.Errorf("read: %w", context.DeadlineExceeded), messages.InvokeResponse_Error{Type: "Unavailable", Message: "read: context deadline exceeded"}},
		{`{"n":"one"}`, nil, messages.InvokeResponse_Error{Type: "Invalid", Message: "/n: input has string where int belongs"}},
		{`[1]`, nil, messages.InvokeResponse_Error{Type: "Invalid", Message: "/: input has array where tasks_test.doubleIn belongs"}},
	} {
		h := tasks.Handler(func(context.Context, doubleIn) (int, error) { return 0, c.err })
		_, err := h.Invoke(t.Context(), []byte(c.payload))
		require.Equal(t, c.want, err, c.payload)
	}
}

func TestHandler_AnswersJSON(t *testing.T) {
	h := tasks.Handler(func(_ context.Context, in doubleIn) (int, error) { return 2 * in.N, nil })
	out, err := h.Invoke(t.Context(), []byte(`{"n":21,"more":true}`))
	require.NoError(t, err)
	require.Equal(t, "42", string(out))
}

func TestCause(t *testing.T) {
	require.Equal(t, "slow down", tasks.Cause(`{"errorMessage":"slow down","errorType":"Unavailable"}`))
	require.Equal(t, "nobody decided", tasks.Cause("nobody decided"))
	require.Equal(t, "AlgorithmError: Killed, exit code: 137",
		tasks.Cause(`{"TrainingJobName":"j","FailureReason":"AlgorithmError: 9 eta_s=7\n[perennial] phase=before suite=company n=24\n[perennial] step=5 steps=9\nKilled, exit code: 137"}`))
	require.Equal(t, "CapacityError: no instance", tasks.Cause(`{"FailureReason":"CapacityError: no instance"}`))
	require.Equal(t, "Invalid: no item", tasks.Cause(`{"Error":"Invalid","Cause":"no item"}`))
	require.Equal(t, `{"a":1}`, tasks.Cause(`{"a":1}`))
	require.Empty(t, tasks.Cause(""))
}

func TestFailed(t *testing.T) {
	require.Equal(t, "Invalid: no item", tasks.Failed("Invalid", "no item"))
	require.Equal(t, "no item", tasks.Failed("States.TaskFailed", "no item"))
	require.Equal(t, "States.Timeout", tasks.Failed("States.Timeout", ""))
}
