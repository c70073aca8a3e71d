package asl_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
)

const paint = `"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:Paint","TimeoutSeconds":60`

// links writes the events after the first ones as "Type<previous id".
func (j *journal) links(after int) string {
	var out []string
	for _, e := range j.events[after:] {
		out = append(out, fmt.Sprintf("%s<%d", e.Type, e.Previous))
	}
	return strings.Join(out, " ")
}

// redriven runs states to their end without success, redrives them and gives the journal and the run.
func redriven(t *testing.T, states string, first, second asl.Performer) (*journal, *asl.Run, int) {
	t.Helper()
	m := machine(t, `{"QueryLanguage":"JSONata","StartAt":"A","TimeoutSeconds":180,"States":`+states+`}`)
	j := &journal{}
	env := asl.Env{Expressions: pool, Journal: j}
	r, err := asl.Simulate(context.Background(), m, env, header(`{}`), first, epoch)
	require.NoError(t, err)
	before := len(j.events)
	again, err := asl.Redrive(m, env, r.Execution(), r.Threads(), epoch.Add(time.Hour))
	require.NoError(t, err)
	require.NoError(t, again.Drive(context.Background(), second, epoch.Add(time.Hour)))
	return j, again, before
}

// What follows what below is what AWS recorded for such machines; there a worker's start comes later.

func TestRedrive_OfATaskFollowsItsEntry(t *testing.T) {
	const retried = `{"A":{"Type":"Pass","Next":"W"},"W":{` + paint + `,"Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],"Output":"{% $states.context %}","End":true}}`
	j, r, n := redriven(t, retried, scripted("!X"), scripted("!X", `1`))
	require.Equal(t, "ExecutionStarted PassStateEntered PassStateExited TaskStateEntered ActivityScheduled ActivityStarted ActivityFailed "+
		"ActivityScheduled ActivityStarted ActivityFailed ExecutionFailed", j.types()[:strings.Index(j.types(), " ExecutionRedriven")])
	require.Equal(t, "ExecutionRedriven<11 ActivityScheduled<4 ActivityStarted<13 ActivityFailed<14 ActivityScheduled<15 ActivityStarted<16 "+
		"ActivitySucceeded<17 TaskStateExited<18 ExecutionSucceeded<19", j.links(n))
	require.Equal(t, map[string]any{"redriveCount": 1}, j.events[n].Details)
	output := string(r.Execution().Output)
	require.Contains(t, output, `"RedriveCount":1,"RedriveTime":"2026-01-01T01:00:00.000Z"`)
	require.Contains(t, output, `"EnteredTime":"2026-01-01T00:00:00.000Z","RetryCount":1`, "the first entry counts, the tries anew")
}

func TestRedrive_OfBranchesStartsNothingThatSucceeded(t *testing.T) {
	branch := func(name string) string {
		return `{"StartAt":"` + name + `","States":{"` + name + `":{` + paint + `,"End":true}}}`
	}
	states := `{"A":{"Type":"Parallel","Branches":[` + branch("S") + `,` + branch("F") + `,` + branch("B") + `],"End":true}}`
	fails := func(_ context.Context, task asl.Task) []asl.Signal {
		switch task.State {
		case "S":
			return []asl.Signal{{TaskID: task.ID, Kind: asl.SignalReturned, Output: []byte(`"kept"`)}}
		case "F":
			return []asl.Signal{{TaskID: task.ID, Kind: asl.SignalFailed, Failure: asl.Fail("X", "")}}
		}
		return nil
	}
	j, r, n := redriven(t, states, fails, scripted(`"F again"`, `"B again"`))
	require.Contains(t, j.links(0), "ActivityFailed<9 TaskStateAborted<15 TaskStateAborted<15 ParallelStateFailed<15 ExecutionFailed<18")
	require.Equal(t, "ExecutionRedriven<19 ActivityScheduled<7 ActivityStarted<21 ActivityScheduled<10 ActivityStarted<23 "+
		"ActivitySucceeded<22 TaskStateExited<25 ActivitySucceeded<24 TaskStateExited<27 ParallelStateSucceeded<28 ParallelStateExited<28 ExecutionSucceeded<30", j.links(n))
	require.Equal(t, `["kept","F again","B again"]`, string(r.Execution().Output))
}

func TestRedrive_OfItemsGoesOnWithThem(t *testing.T) {
	states := `{"A":{"Type":"Map","Items":[0,1,2],"MaxConcurrency":1,"ItemProcessor":{"StartAt":"I","States":{"I":{` + paint + `,"End":true}}},"End":true}}`
	j, r, n := redriven(t, states, scripted(`0`, "!X"), scripted(`1`, `2`))
	require.Equal(t, "ExecutionRedriven<19 ActivityScheduled<12 ActivityStarted<21 ActivitySucceeded<22 TaskStateExited<23 MapIterationSucceeded<24 "+
		"MapIterationStarted<24 TaskStateEntered<26 ActivityScheduled<27 ActivityStarted<28 ActivitySucceeded<29 TaskStateExited<30 "+
		"MapIterationSucceeded<31 MapStateSucceeded<32 MapStateExited<32 ExecutionSucceeded<34", j.links(n))
	require.Equal(t, `[0,1,2]`, string(r.Execution().Output))
}

func TestRedrive_OfAFailStateFailsAgainWithoutEntry(t *testing.T) {
	j, r, n := redriven(t, `{"A":{"Type":"Fail","Error":"E","Cause":"c"}}`, nil, nil)
	require.Equal(t, "ExecutionRedriven<3 ExecutionFailed<4", j.links(n))
	require.Equal(t, "E: c", r.Execution().Failure.Error())
}

func TestRedrive_AfterWhatCameFromOutside(t *testing.T) {
	j, r, n := redriven(t, `{"A":{`+strings.Replace(paint, ":60", ":1000", 1)+`,"End":true}}`, scripted("silent"), scripted(`1`))
	require.Equal(t, "ExecutionTimedOut<0", j.links(n - 1)[:19], "the machine's own time is over")
	require.Equal(t, "ExecutionRedriven<5 ActivityScheduled<2 ActivityStarted<7 ActivitySucceeded<8 TaskStateExited<9 ExecutionSucceeded<10", j.links(n))
	require.Equal(t, epoch.Add(time.Hour+180*time.Second), r.Execution().Deadline, "which starts anew")
}
