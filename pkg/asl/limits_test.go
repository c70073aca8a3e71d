package asl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// The causes and borders below are those that AWS recorded.
func TestVariables_HaveLimits(t *testing.T) {
	assign := func(field string) string { return `{"A":{"Type":"Pass","Assign":{` + field + `},"End":true}}` }
	for field, want := range map[string]string{
		`"x":"{% $pad('', 262142, 'x') %}"`: "",
		`"x":"{% $pad('', 262143, 'x') %}"`: "States.DataLimitExceeded: Variable size limit exceeded. Variable 'x' in state 'A' was assigned 262145 bytes.",
		`"x":"{% $pad('', 262145, 'x') %}"`: "States.QueryEvaluationError: An error occurred while executing the state 'A' (entered at the event id #2). " +
			"The JSONata expression '$pad('', 262145, 'x')' specified for the field 'Assign/x' threw an error during evaluation: " +
			"Expression evaluation memory limit exceeded: Check for excessive memory usage",
		`"x":"{% $pad('', 131070, 'x') %}","y":"{% $pad('', 131070, 'x') %}"`: "",
		`"x":"{% $pad('', 131071, 'x') %}","y":"{% $pad('', 131071, 'x') %}"`: "States.DataLimitExceeded: State total variable size limit exceeded. " +
			"Variable 'y' in state 'A' was assigned 131073 bytes, which caused the size of variables assigned in the state to exceed its limit by 2 bytes.",
		`"x":"{% $exists($pad($pad('',131072,'x'),262145,'x')) %}"`: "",
	} {
		x, j := run(t, assign(field), `{}`, nil)
		if want == "" {
			require.Equal(t, asl.Succeeded, x.Status, field)
			continue
		}
		require.Equal(t, want, x.Failure.Error())
		require.Equal(t, "ExecutionStarted PassStateEntered EvaluationFailed ExecutionFailed", j.types())
		require.Equal(t, "A", j.events[2].Details["state"])
		require.True(t, strings.HasPrefix(fmt.Sprint(j.events[2].Details["location"]), "Assign"))
	}
}

func TestVariables_OfAnExecutionHaveALimit(t *testing.T) {
	var states strings.Builder
	for i := range 43 {
		fmt.Fprintf(&states, `"S%d":{"Type":"Pass","Assign":{"v%d":"{%% $pad('', 250000, 'x') %%}"},"Next":"S%d"},`, i, i, i+1)
	}
	x, j := run(t, `{"A":{"Type":"Pass","Next":"S0"},`+states.String()+`"S43":{"Type":"Succeed"}}`, `{}`, nil)
	require.Equal(t, "States.DataLimitExceeded: Execution total variable size limit exceeded. State 'S41' assigned variables that exceed the total execution limit by 14324 bytes.",
		x.Failure.Error())
	last := j.events[len(j.events)-2]
	require.Equal(t, "EvaluationFailed", last.Type)
	require.Equal(t, last.ID-1, last.Previous)
	x, _ = run(t, `{"A":{"Type":"Pass","Assign":{"v":"{% $pad('', 250000, 'x') %}","n":"{% $exists($n) ? $n + 1 : 1 %}"},"Next":"C"},"C":{"Type":"Choice",
		"Choices":[{"Condition":"{% $n < 60 %}","Next":"A"}],"Default":"D"},"D":{"Type":"Succeed"}}`, `{}`, nil)
	require.Equal(t, asl.Succeeded, x.Status, "what is assigned again counts once")
}

func TestInputs_HaveALimit(t *testing.T) {
	const big = `"{% $pad('', 200000, 'x') & $pad('', 100000, 'x') %}"`
	for states, field := range map[string]string{
		`{"A":{` + task + `,"Arguments":` + big + `,"End":true}}`:                                                                                                           "Arguments",
		`{"A":{"Type":"Parallel","Arguments":` + big + `,"Branches":[{"StartAt":"B","States":{"B":{"Type":"Succeed"}}}],"End":true}}`:                                       "Arguments",
		`{"A":{"Type":"Map","Items":[1],"ItemSelector":{"x":` + big + `},"ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Pass","Output":1,"End":true}}},"End":true}}`: "Items",
	} {
		x, _ := run(t, states, `{}`, scripted(`1`))
		require.Equal(t, "States.DataLimitExceeded: The state/task 'A' made a value for the field '"+field+"' with a size exceeding the maximum number of bytes service limit.",
			x.Failure.Error())
	}
}

// TestHistory_EndsWithItsLastPlace fills histories so that each kind of transition meets the end of the room.
func TestHistory_EndsWithItsLastPlace(t *testing.T) {
	const pass = `"Type":"Pass"`
	inner := func(name, state string) string {
		return `{"StartAt":"` + name + `","States":{"` + name + `":{` + state + `,"End":true}}}`
	}
	for _, a := range []string{
		pass, task, `"Type":"Wait","Seconds":1`, `"Type":"Parallel","Branches":[` + inner("I", task) + `,` + inner("J", pass) + `]`,
		`"Type":"Map","Items":[1,2],"ItemProcessor":` + inner("I", task),
		task + `,"Retry":[{"ErrorEquals":["X"],"MaxAttempts":2,"BackoffRate":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}]`,
	} {
		answers := scripted(`1`)
		if strings.Contains(a, "Retry") {
			answers = scripted("!X")
		}
		x, j := run(t, `{"A":{`+a+`,"Next":"C"},"C":{"Type":"Choice","Choices":[{"Condition":false,"Next":"E"}],"Default":"A"},"E":{"Type":"Succeed"}}`, `{}`, answers)
		require.Equal(t, "States.Runtime: The execution reached the maximum number of history events (25000).", x.Failure.Error())
		require.Len(t, j.events, 25000)
		last := j.events[24999]
		require.Equal(t, "ExecutionFailed 25000 24999", fmt.Sprint(last.Type, " ", last.ID, " ", last.Previous))
	}
}
