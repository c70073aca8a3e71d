package asl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

var pool = jsonata.NewPool(jsonata.Limits{Time: time.Minute}) // enough on a machine that is busy

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// journal keeps everything that was committed.
type journal struct {
	events  []asl.Event
	commits int
}

func (j *journal) Commit(c asl.Commit) error {
	j.events = append(j.events, c.Events...)
	j.commits++
	return nil
}

// types are the history in short.
func (j *journal) types() string {
	names := make([]string, len(j.events))
	for i, e := range j.events {
		names[i] = e.Type
	}
	return strings.Join(names, " ")
}

func machine(t *testing.T, definition string) *asl.Machine {
	t.Helper()
	m, err := asl.Parse([]byte(definition))
	require.NoError(t, err)
	return m
}

func header(input string) asl.Execution {
	return asl.Execution{ARN: "arn:e", Name: "e", Machine: "m", MachineARN: "arn:m", Input: json.RawMessage(input)}
}

// run simulates states in a machine that starts at "A".
func run(t *testing.T, states, input string, tasks asl.Performer) (asl.Execution, *journal) {
	t.Helper()
	m := machine(t, `{"QueryLanguage":"JSONata","StartAt":"A","TimeoutSeconds":1000000,"States":`+states+`}`)
	j := &journal{}
	r, err := asl.Simulate(context.Background(), m, asl.Env{Expressions: pool, Journal: j}, header(input), tasks, epoch)
	require.NoError(t, err)
	return r.Execution(), j
}

// scripted answers the n-th call of every task: an error name fails it, "silent" never answers, all
// else is its output.
func scripted(answers ...string) asl.Performer {
	n := 0
	return func(_ context.Context, task asl.Task) []asl.Signal {
		a := answers[min(n, len(answers)-1)]
		n++
		switch {
		case a == "silent":
			return nil
		case strings.HasPrefix(a, "!"):
			return []asl.Signal{{TaskID: task.ID, Kind: asl.SignalFailed, Failure: asl.Fail(a[1:], "on purpose")}}
		}
		return []asl.Signal{{TaskID: task.ID, Kind: asl.SignalReturned, Output: json.RawMessage(a)}}
	}
}

const task = `"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:runInstances"`

func TestRun_Outcomes(t *testing.T) {
	for _, c := range []struct {
		name, states, input string
		tasks               asl.Performer
		want                string // output, or error: cause
	}{
		{"assign and output see the old variables", `{"A":{"Type":"Pass","Assign":{"x":1},"Next":"B"},
			"B":{"Type":"Pass","Assign":{"x":"{% $x + 1 %}","y":"{% $x %}"},"Output":"{% $x %}","Next":"C"},
			"C":{"Type":"Pass","Output":{"in":"{% $states.input %}","x":"{% $x %}","y":"{% $y %}"},"End":true}}`, `{}`, nil, `{"in":1,"x":2,"y":1}`},
		{"inner scopes read outer variables and keep their own", `{"A":{"Type":"Pass","Assign":{"x":1},"Next":"P"},
			"P":{"Type":"Parallel","Branches":[{"StartAt":"L","States":{"L":{"Type":"Pass","Assign":{"y":"{% $x + 1 %}"},"Next":"L2"},
			"L2":{"Type":"Pass","Output":"{% $x + $y %}","End":true}}}],"Assign":{"z":"{% $states.result[0] %}"},"Output":"{% $states.result[0] %}","Next":"E"},
			"E":{"Type":"Succeed","Output":{"z":"{% $z %}","in":"{% $states.input %}"}}}`, `{}`, nil, `{"z":3,"in":3}`},
		{"choice takes the first rule that holds", `{"A":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.n > 5 %}","Next":"B","Output":"big"},
			{"Condition":"{% $states.input.n > 1 %}","Next":"B","Output":"middle","Assign":{"v":7}}],"Default":"B","Output":"small"},
			"B":{"Type":"Succeed"}}`, `{"n":3}`, nil, `"middle"`},
		{"choice without a match and default", `{"A":{"Type":"Choice","Choices":[{"Condition":false,"Next":"B"}]},"B":{"Type":"Succeed"}}`, `{}`, nil,
			`States.Runtime: An error occurred while executing the state 'A' (entered at the event id #2). Failed to transition out of the state. The state does not point to a next state.`},
		{"a condition must be boolean", `{"A":{"Type":"Choice","Choices":[{"Condition":"{% 1 %}","Next":"B"}]},"B":{"Type":"Succeed"}}`, `{}`, nil,
			`States.QueryEvaluationError: An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '1' specified for the field 'Choices[0]/Condition' returned an unexpected result type. Expected 'boolean', but was 'number' for value: 1`},
		{"fail with expressions", `{"A":{"Type":"Fail","Error":"{% $states.input.e %}","Cause":"{% 'c' & 'd' %}"}}`, `{"e":"E"}`, nil, `E: cd`},
		{"fail without anything", `{"A":{"Type":"Fail"}}`, `{}`, nil, `: `},
		{"map with selector and context", `{"A":{"Type":"Map","Items":[5,6],"ItemSelector":{"i":"{% $states.context.Map.Item.Index %}","v":"{% $states.context.Map.Item.Value %}","k":"{% $states.input.k %}"},
			"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","Output":"{% $states.input.i & ':' & $states.input.v & $states.input.k & $states.context.Map.Item.Index %}","End":true}}},"End":true}}`,
			`{"k":"x"}`, nil, `["0:5x0","1:6x1"]`},
		{"map batches", `{"A":{"Type":"Map","Items":[1,2,3],"ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"b":"{% $states.input.b %}"}},
			"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},"End":true}}`, `{"b":9}`, nil,
			`[{"BatchInput":{"b":9},"Items":[1,2]},{"BatchInput":{"b":9},"Items":[3]}]`},
		{"map batches by bytes", `{"A":{"Type":"Map","Items":["aaaaaaaaaa","bbbbbbbbbb","c"],"ItemBatcher":{"MaxInputBytesPerBatch":30},
			"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","Output":"{% $count($states.input.Items) %}","End":true}}},"End":true}}`, `{}`, nil, `[1,2]`},
		{"map tolerates some failures", `{"A":{"Type":"Map","Items":[1,2,3],"MaxConcurrency":1,"ToleratedFailureCount":1,
			"ItemProcessor":{"StartAt":"I","States":{"I":{` + task + `,"End":true}}},"End":true}}`, `{}`, scripted(`1`, `!Bad`, `3`), `[1,3]`},
		{"map beyond its tolerance", `{"A":{"Type":"Map","Items":[1,2,3],"MaxConcurrency":1,"ToleratedFailurePercentage":34,
			"ItemProcessor":{"StartAt":"I","States":{"I":{` + task + `,"End":true}}},"End":true}}`, `{}`, scripted(`1`, `!Bad`, `!Bad`),
			`States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded`},
		{"retry until it works", `{"A":{` + task + `,"Retry":[{"ErrorEquals":["Busy"]}],"Output":"{% $states.context.State.RetryCount %}","End":true}}`, `{}`, scripted(`!Busy`, `!Busy`, `1`), `2`},
		{"retry counts per retrier", `{"A":{` + task + `,"Retry":[{"ErrorEquals":["X"],"MaxAttempts":1},{"ErrorEquals":["States.ALL"],"MaxAttempts":1}],"End":true}}`, `{}`,
			scripted(`!X`, `!Y`, `!X`, `1`), `X: on purpose`},
		{"zero attempts never retry", `{"A":{` + task + `,"Retry":[{"ErrorEquals":["X"],"MaxAttempts":0},{"ErrorEquals":["States.ALL"]}],"End":true}}`, `{}`, scripted(`!X`, `1`), `X: on purpose`},
		{"catch keeps its input", `{"A":{` + task + `,"Catch":[{"ErrorEquals":["Other"],"Next":"B"},{"ErrorEquals":["States.TaskFailed"],
			"Output":{"in":"{% $states.input %}","e":"{% $states.errorOutput.Error %}"},"Assign":{"c":"{% $states.errorOutput.Cause %}"},"Next":"B"}],"End":true},
			"B":{"Type":"Pass","Output":{"in":"{% $states.input %}","c":"{% $c %}"},"End":true}}`, `1`, scripted(`!X`), `{"in":{"in":1,"e":"X"},"c":"on purpose"}`},
		{"a task times out", `{"A":{` + task + `,"TimeoutSeconds":5,"Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"B"},{"ErrorEquals":["States.Timeout"],"Next":"B"}],"End":true},
			"B":{"Type":"Succeed"}}`, `1`, scripted(`silent`), `{"Error":"States.Timeout","Cause":""}`},
		{"a heartbeat is missed", `{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:runInstances.waitForTaskToken","TimeoutSeconds":50,"HeartbeatSeconds":"{% 2 + 3 %}","Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"Next":"B"}],"End":true},
			"B":{"Type":"Succeed"}}`, `1`, scripted(`silent`), `{"Error":"States.Timeout","Cause":""}`},
		{"the machine times out", `{"A":{"Type":"Wait","Seconds":2000000,"End":true}}`, `1`, nil, `States.Timeout: `},
		{"results have a size limit that States.ALL catches", `{"A":{` + task + `,"Catch":[{"ErrorEquals":["States.ALL"],"Output":"{% $states.errorOutput.Cause %}","Next":"B"}],"End":true},"B":{"Type":"Succeed"}}`, `1`,
			scripted(`"` + strings.Repeat("x", 256<<10) + `"`), `"The state/task 'aws-sdk:ec2' returned a result with a size exceeding the maximum number of bytes service limit."`},
		{"outputs have a size limit", `{"A":{"Type":"Pass","Output":"{% $pad('', 200000, 'x') & $pad('', 100000, 'x') %}","End":true}}`, `1`, nil,
			`States.DataLimitExceeded: The state/task 'A' returned a result with a size exceeding the maximum number of bytes service limit.`},
		{"an endless machine is stopped", `{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[{"Condition":false,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}`, `1`, nil,
			`States.Runtime: The execution reached the maximum number of history events (25000).`},
		{"a token that nobody sends", `{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:runInstances.waitForTaskToken","Arguments":{"t":"{% $states.context.Task.Token %}"},"TimeoutSeconds":9,"End":true}}`, `1`, scripted(`{}`), `States.Timeout: `},
		{"parallel fails with the first error", `{"A":{"Type":"Parallel","Branches":[{"StartAt":"L","States":{"L":{"Type":"Wait","Seconds":10,"End":true}}},
			{"StartAt":"R","States":{"R":{"Type":"Fail","Error":"E","Cause":"c"}}}],"Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["E"],"Next":"B"}],"End":true},"B":{"Type":"Succeed"}}`, `1`, nil, `{"Error":"E","Cause":"c"}`},
		{"wait until a moment", `{"A":{"Type":"Wait","Timestamp":"2026-01-05T00:00:00+01:00","Next":"B"},"B":{"Type":"Succeed","Output":"{% $now() %}"}}`, `1`, nil, `"2026-01-04T23:00:00.000Z"`},
		{"the context object", `{"A":{"Type":"Pass","Output":"{% $states.context.Execution.Id & $states.context.StateMachine.Name & $states.context.State.Name & $states.context.Execution.StartTime %}","End":true}}`, `1`, nil, `"arn:emA2026-01-01T00:00:00.000Z"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, _ := run(t, c.states, c.input, c.tasks)
			if x.Status == asl.Succeeded {
				require.Equal(t, c.want, string(x.Output))
				return
			}
			require.Equal(t, c.want, x.Failure.Error())
		})
	}
}

func TestRun_StopsAnEndlessExpression(t *testing.T) {
	m := machine(t, inMachine(`{"A":{"Type":"Pass","Output":"{% ($f := function(){ $f() }; $f()) %}","End":true}}`))
	hurried := asl.Env{Expressions: jsonata.NewPool(jsonata.Limits{Time: time.Second})}
	r, err := asl.Simulate(context.Background(), m, hurried, header(`{}`), nil, epoch)
	require.NoError(t, err)
	require.Equal(t, "States.QueryEvaluationError: An error occurred while executing the state 'A' (entered at the event id #2). "+
		"The JSONata expression '($f := function(){ $f() }; $f())' specified for the field 'Output' was stopped: the evaluation took longer than 1s.",
		r.Execution().Failure.Error())
}

func TestRun_Histories(t *testing.T) {
	for name, c := range map[string]struct {
		states string
		tasks  asl.Performer
		want   string
	}{
		"task with token": {`{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:runInstances.waitForTaskToken","TimeoutSeconds":5,"End":true}}`, scripted(`{}`),
			"ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSubmitted TaskTimedOut ExecutionFailed"},
		"function called directly": {`{"A":{"Type":"Task","Resource":"arn:aws:lambda:eu-west-1:111111111111:function:f","End":true}}`, scripted(`1`),
			"ExecutionStarted TaskStateEntered LambdaFunctionScheduled LambdaFunctionStarted LambdaFunctionSucceeded TaskStateExited ExecutionSucceeded"},
		"failed branch, retried and caught": {`{"A":{"Type":"Parallel","Branches":[{"StartAt":"L","States":{"L":{` + task + `,"End":true}}}],
			"Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Succeed"}}`, scripted(`!X`),
			"ExecutionStarted ParallelStateEntered ParallelStateStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskStateAborted " +
				"ParallelStateStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskStateAborted ParallelStateFailed ParallelStateExited " +
				"SucceedStateEntered SucceedStateExited ExecutionSucceeded"},
		"a catcher that fails": {`{"A":{"Type":"Parallel","Branches":[{"StartAt":"L","States":{"L":{"Type":"Fail","Error":"E"}}}],
			"Catch":[{"ErrorEquals":["E"],"Output":"{% $nothing %}","Next":"B"}],"End":true},"B":{"Type":"Succeed"}}`, nil,
			"ExecutionStarted ParallelStateEntered ParallelStateStarted FailStateEntered ParallelStateFailed EvaluationFailed ParallelStateFailed ExecutionFailed"},
		"items that time out together": {`{"A":{"Type":"Map","Items":[1,2],"ItemProcessor":{"StartAt":"L","States":{"L":{` + task + `,"TimeoutSeconds":5,"End":true}}},"End":true}}`, scripted(`silent`),
			"ExecutionStarted MapStateEntered MapStateStarted MapIterationStarted MapIterationStarted TaskStateEntered TaskScheduled TaskStarted TaskStateEntered TaskScheduled TaskStarted " +
				"TaskTimedOut MapIterationFailed TaskStateAborted MapIterationAborted TaskStateAborted MapStateFailed ExecutionFailed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, j := run(t, c.states, `{}`, c.tasks)
			require.Equal(t, c.want, j.types())
			for i, e := range j.events {
				require.Equal(t, int64(i+1), e.ID)
				require.Less(t, e.Previous, e.ID)
			}
		})
	}
}

// delays gives the seconds between the tries of a task that always fails.
func delays(t *testing.T, arn, retrier string) []float64 {
	t.Helper()
	m := machine(t, `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{`+task+`,"Retry":[`+retrier+`],"End":true}}}`)
	j := &journal{}
	x := header(`{}`)
	x.ARN = arn
	_, err := asl.Simulate(context.Background(), m, asl.Env{Expressions: pool, Journal: j}, x, scripted("!X"), epoch)
	require.NoError(t, err)
	var out []float64
	last := epoch
	for _, e := range j.events {
		if e.Type == "TaskScheduled" {
			out = append(out, e.Time.Sub(last).Seconds())
			last = e.Time
		}
	}
	return out[1:]
}

func TestTask_CredentialsNameTheRoleInTheHistory(t *testing.T) {
	_, j := run(t, `{"A":{`+task+`,"Credentials":{"RoleArn":"{% $states.input.role %}"},"End":true}}`, `{"role":"arn:r"}`, scripted(`1`))
	require.Equal(t, map[string]any{"roleArn": "arn:r"}, j.events[2].Details["taskCredentials"])
	x, _ := run(t, `{"A":{`+task+`,"Credentials":{"RoleArn":"{% $states.input.role %}"},"End":true}}`, `{"role":1}`, scripted(`1`))
	require.Equal(t, "States.QueryEvaluationError", *x.Failure.Name)
	require.Contains(t, *x.Failure.Cause, "Expected 'string', but was 'number' for value: 1")
}

func TestTask_ActivitiesHaveTheirOwnEvents(t *testing.T) {
	const activity = `{"A":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:Paint","TimeoutSeconds":60,"HeartbeatSeconds":5,"End":true}}`
	x, j := run(t, activity, `{"color":"red"}`, asl.Integrations{asl.AnyActivity: func(_ context.Context, task asl.Task) (json.RawMessage, error) {
		require.NotEmpty(t, task.Token)
		return task.Arguments, nil
	}}.Signals)
	require.JSONEq(t, `{"color":"red"}`, string(x.Output))
	require.Equal(t, "ExecutionStarted TaskStateEntered ActivityScheduled ActivityStarted ActivitySucceeded TaskStateExited ExecutionSucceeded", j.types())
	require.Equal(t, "activityScheduledEventDetails", j.events[2].DetailsKey)
	require.Equal(t, map[string]any{}, j.events[3].AWS()["activityStartedEventDetails"])
	x, j = run(t, activity, `{}`, scripted(`silent`))
	require.Equal(t, "States.Timeout", *x.Failure.Name)
	require.Contains(t, j.types(), "ActivityTimedOut ExecutionFailed")
	m := machine(t, inMachine(activity))
	j = &journal{}
	r, err := asl.Simulate(context.Background(), m, asl.Env{Expressions: pool, Journal: j, Activity: func(string) bool { return false }}, header(`{}`), nil, epoch)
	require.NoError(t, err)
	require.Equal(t, "States.Runtime: An error occurred while executing the state 'A' (entered at the event id #2). "+
		"The activity arn:aws:states:us-east-1:123456789012:activity:Paint does not exist.", r.Execution().Failure.Error())
	require.Equal(t, "ExecutionStarted TaskStateEntered ExecutionFailed", j.types(), "as recorded on AWS")
}

func TestLambdaPayload_IsABlobToTheService(t *testing.T) {
	for given, want := range map[string]string{``: `{}`, `null`: `{}`, `"\"a\""`: `"a"`, `"{\"b\":1}"`: `{"b":1}`, `"plain"`: `"plain"`, `[1]`: `[1]`, `5`: `5`} {
		require.Equal(t, want, string(asl.LambdaPayload(json.RawMessage(given))), given)
	}
}

func TestRetry_Delays(t *testing.T) {
	require.Equal(t, []float64{1, 2, 4}, delays(t, "a", `{"ErrorEquals":["X"]}`))
	require.Equal(t, []float64{3, 4.5, 5, 5}, delays(t, "a", `{"ErrorEquals":["X"],"IntervalSeconds":3,"BackoffRate":1.5,"MaxDelaySeconds":5,"MaxAttempts":4}`))
}

func TestRetry_JitterSpreadsOverTheWholeDelay(t *testing.T) {
	low, high, sum := 1e9, 0.0, 0.0
	const n = 300
	for i := range n {
		d := delays(t, fmt.Sprint("arn", i), `{"ErrorEquals":["X"],"IntervalSeconds":10,"MaxAttempts":1,"JitterStrategy":"FULL"}`)[0]
		low, high, sum = min(low, d), max(high, d), sum+d
	}
	require.Less(t, low, 0.5)
	require.Greater(t, high, 9.5)
	require.Less(t, high, 10.0)
	require.InDelta(t, 5, sum/n, 0.6) // 3.5 standard errors
}

func TestTaskID_IsAnIdPerAttemptFitForJobNames(t *testing.T) {
	seen := map[string]bool{}
	tasks := func(_ context.Context, task asl.Task) []asl.Signal {
		require.Regexp(t, `^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`, task.ID)
		require.False(t, seen[task.ID])
		seen[task.ID] = true
		return []asl.Signal{{TaskID: task.ID, Kind: asl.SignalFailed, Failure: asl.Fail("X", "")}}
	}
	name := strings.Repeat("ä Very long näme ", 4)
	_, _ = run(t, `{"A":{"Type":"Pass","Next":"`+name+`"},"`+name+`":{`+task+`,"Retry":[{"ErrorEquals":["X"],"MaxAttempts":3}],"End":true}}`, `{}`, tasks)
	require.Len(t, seen, 4)
}

func TestRun_EveryTransitionIsCommitted(t *testing.T) {
	_, j := run(t, `{"A":{"Type":"Pass","Next":"B"},"B":{`+task+`,"Next":"C"},"C":{"Type":"Succeed"}}`, `{}`, scripted(`1`))
	require.Equal(t, 5, j.commits) // start, A, B scheduled, B done, C
}

func TestRedrive_KeepsWhatSucceeded(t *testing.T) {
	m := machine(t, `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Map","Items":[1,2,3],"MaxConcurrency":1,
		"ItemProcessor":{"StartAt":"I","States":{"I":{`+task+`,"End":true}}},"End":true}}}`)
	env := asl.Env{Expressions: pool}
	r, err := asl.Simulate(context.Background(), m, env, header(`{}`), scripted(`10`, `!X`), epoch)
	require.NoError(t, err)
	require.Equal(t, asl.Failed, r.Execution().Status)
	full := r.Execution()
	full.LastEvent = 24999
	_, err = asl.Redrive(m, env, full, r.Threads(), epoch)
	require.ErrorIs(t, err, asl.ErrNotRedrivable, "the history is full")
	_, err = asl.Redrive(m, env, r.Execution(), r.Threads(), epoch.Add(14*24*time.Hour+time.Minute))
	require.ErrorIs(t, err, asl.ErrNotRedrivable, "the period is over")
	again, err := asl.Redrive(m, env, r.Execution(), r.Threads(), epoch)
	require.NoError(t, err)
	require.NoError(t, again.Drive(context.Background(), scripted(`20`, `30`), epoch))
	require.Equal(t, `[10,20,30]`, string(again.Execution().Output))
	_, err = asl.Redrive(m, env, again.Execution(), again.Threads(), epoch)
	require.ErrorIs(t, err, asl.ErrNotRedrivable)
}

// failing refuses the n-th commit.
type failing struct{ left int }

func (f *failing) Commit(asl.Commit) error {
	if f.left--; f.left == 0 {
		return errors.New("disk full")
	}
	return nil
}

func TestRun_StopsWhereACommitFails(t *testing.T) {
	m := machine(t, `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{`+task+`,"End":true}}}`)
	for n := 1; n <= 3; n++ {
		r, err := asl.Start(m, asl.Env{Expressions: pool, Journal: &failing{left: n}}, header(`{}`), epoch)
		if err == nil {
			err = r.Drive(context.Background(), scripted(`1`), epoch)
		}
		require.ErrorContains(t, err, "disk full")
		if n == 2 {
			effects, err := r.Step(epoch)
			require.Error(t, err, "a run whose commit failed does nothing any more")
			require.Empty(t, effects.Start)
		}
	}
}
