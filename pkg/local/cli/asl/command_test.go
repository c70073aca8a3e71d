package aslcli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	aslcli "github.com/perennial-llm/perennial/pkg/local/cli/asl"
)

// call runs a command and gives what it printed and its exit status.
func call(t *testing.T, c *cobra.Command, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	err := c.Execute()
	var exit *aslcli.ExitError
	switch {
	case err == nil:
		return out.String(), 0
	case errors.As(err, &exit):
		return out.String() + exit.Message, exit.Code
	}
	require.NoError(t, err)
	return "", -1
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

const machine = `{"QueryLanguage":"JSONata","StartAt":"Call","States":{
 "Call":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":{"FunctionName":"${CallFunctionArn}","Payload":"{% $states.input %}"},
  "TimeoutSeconds":5,"Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":3600}],"Output":"{% $states.result.Payload %}","Next":"Approve"},
 "Approve":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Arguments":{"FunctionName":"f","Payload":{"t":"{% $states.context.Task.Token %}"}},
  "TimeoutSeconds":5,"End":true}}}`

const mock = `{"StateMachines":{"m":{"TestCases":{"Happy":{"Approve":"Yes"},"Busy":{"Call":"Twice","Approve":"Yes"},"No":{"Approve":"No"}}}},
 "MockedResponses":{"Yes":{"0":{"Return":{"approved":true}}},"No":{"0":{"Throw":{"Error":"Refused","Cause":"no"}}},
  "Twice":{"0-1":{"Throw":{"Error":"Busy","Cause":""}},"2":{"Return":{"Payload":1}}}},
 "MockedFunctions":{"Call":{"Echo":true}}}`

func TestRun_WithMocks(t *testing.T) {
	m, mocks := file(t, "m.asl.json", machine), file(t, "mock.json", mock)
	for name, want := range map[string]int{"Happy": 0, "Busy": 0, "No": 3} {
		out, code := call(t, aslcli.Command(), "run", m, "--mock", mocks, "--case", name, "--input", `{"a":"<"}`, "--history")
		require.Equal(t, want, code, out)
		var answer struct {
			Status, Error, Cause string
			Output               json.RawMessage
			Events               []map[string]any
		}
		require.NoError(t, json.Unmarshal([]byte(out), &answer), out)
		require.NotEmpty(t, answer.Events)
		if name == "No" {
			require.Equal(t, "FAILED Refused no", answer.Status+" "+answer.Error+" "+answer.Cause)
		} else {
			require.JSONEq(t, `{"approved":true}`, string(answer.Output))
		}
	}
}

func TestRun_BadUse(t *testing.T) {
	m, mocks := file(t, "m.asl.json", machine), file(t, "mock.json", mock)
	for _, args := range [][]string{
		{"run"}, {"run", "nowhere.json"}, {"run", m, "--input", "{"}, {"run", m, "--input", "@nowhere"}, {"run", m, "--mock", m},
		{"run", m, "--mock", mocks, "--case", "None"}, {"run", m, "--case", "x"}, {"run", m, "--nonsense"}, {"run", m, "--mock", mocks},
		{"run", file(t, "b.json", `{"StartAt":"X","States":{}}`)}, {"verify", m}, {"lint"},
	} {
		out, code := call(t, aslcli.Command(), args...)
		require.Equal(t, 2, code, "%v: %s", args, out)
		require.NotEmpty(t, out)
	}
}

func TestRun_ActivitiesExistWhereTheyAreMocked(t *testing.T) {
	m := file(t, "m.asl.json", `{"QueryLanguage":"JSONata","StartAt":"Paint","States":{"Paint":{"Type":"Task","TimeoutSeconds":5,
		"Resource":"arn:aws:states:us-east-1:123456789012:activity:Paint","End":true}}}`)
	out, code := call(t, aslcli.Command(), "run", m)
	require.Equal(t, 3, code)
	require.Contains(t, out, "The activity arn:aws:states:us-east-1:123456789012:activity:Paint does not exist.")
	mocks := file(t, "mock.json", `{"StateMachines":{"m":{"TestCases":{"A":{"Paint":"Red"}}}},"MockedResponses":{"Red":{"0":{"Return":"red"}}}}`)
	out, code = call(t, aslcli.Command(), "run", m, "--mock", mocks, "--history")
	require.Equal(t, 0, code, out)
	require.Contains(t, out, "ActivityScheduled")
	out, code = call(t, aslcli.Command(), "run", m, "--input", "@"+file(t, "big.json", `"`+strings.Repeat("x", 256<<10)+`"`))
	require.Equal(t, 2, code)
	require.Contains(t, out, "262146 bytes")
}

func TestRun_RefusesMocksThatSayNothingOrTooMuch(t *testing.T) {
	m := file(t, "m.asl.json", machine)
	for _, mocks := range []string{``, `{`, `[]`, `null`, `5`, `{} x`, `{"StateMachines":5}`, `{"Machines":{}}`, `{"StateMachines":{"m":{"TestCases":{"a":{"Call":"None"}}}}}`,
		`{"MockedResponses":{"a":{"x":{"Return":1}}}}`, `{"MockedResponses":{"a":{"5-2":{"Return":1}}}}`, `{"MockedResponses":{"a":{"-1":{"Return":1}}}}`,
		`{"MockedResponses":{"a":{"0":{"Return":1,"Throw":{"Error":"x"}}}}}`, `{"MockedResponses":{"a":{"0":{}}}}`, `{"MockedResponses":{"a":{"0":{"Throw":{"Cause":"c"}}}}}`,
		`{"MockedResponses":{"a":{"0-2":{"Return":1},"2":{"Return":2}}}}`, `{"MockedResponses":{"a":{"0":{"Echo":true}}}}`, `{"MockedFunctions":{"f":{"Echo":false}}}`} {
		out, code := call(t, aslcli.Command(), "run", m, "--mock", file(t, "mock.json", mocks))
		require.Equal(t, 2, code, "%s: %s", mocks, out)
		require.NotContains(t, out, "aslcli", "a message in the words of the file")
	}
}

func TestRun_TakesTheOnlyCaseOfTheMachineNamedLikeTheFile(t *testing.T) {
	out, code := call(t, aslcli.Command(), "run", file(t, "m.asl.json", machine), "--mock", file(t, "mock.json",
		`{"StateMachines":{"m":{"TestCases":{"A":{"Call":"One","Approve":"One"}}},"other":{"TestCases":{"B":{},"C":{}}}},"MockedResponses":{"One":{"0":{"Return":{"Payload":1}}}}}`))
	require.Equal(t, 0, code, out)
}

func TestVerify_CountsAndFindsAPlantedDifference(t *testing.T) {
	const recorded = "../../../asl/testdata/stepfunctions-jsonata.json"
	out, code := call(t, aslcli.Command(), "verify", recorded)
	require.Equal(t, 0, code, out)
	require.Equal(t, "32 of 32 outcomes, 32 of 32 histories\n", out)
	raw, err := os.ReadFile(recorded)
	require.NoError(t, err)
	planted := bytes.Replace(raw, []byte(`"length": 3`), []byte(`"length": 4`), 1)
	require.NotEqual(t, raw, planted)
	out, code = call(t, aslcli.Command(), "verify", file(t, "planted.json", string(planted)))
	require.Equal(t, 1, code)
	require.Contains(t, out, "length: recorded 4, ours 3")
	require.Contains(t, out, "32 of 32 outcomes, 31 of 32 histories\n")
}

func TestRules_MatchAndNext(t *testing.T) {
	pattern := file(t, "p.json", `{"source":["a"]}`)
	for _, c := range []struct {
		want string
		code int
		args []string
	}{
		{"true\n", 0, []string{"match", "--pattern", "@" + pattern, "--event", `{"source":"a"}`}},
		{"false\n", 0, []string{"match", "--pattern", "@" + pattern, "--event", `{"source":"b"}`}},
		{`Event pattern is not valid. Reason: "a" must be an object or an array`, 2, []string{"match", "--pattern", `{"a":1}`, "--event", `{}`}},
		{"Parameter Event is not valid.", 2, []string{"match", "--pattern", "@" + pattern, "--event", `[]`}},
		{"2026-03-28T02:30:00+01:00\n2026-03-30T02:30:00+02:00\n", 0, []string{"next", "--schedule", "cron(30 2 * * ? *)",
			"--timezone", "Europe/Berlin", "--from", "2026-03-28T00:00:00Z", "--count", "2"}},
		{"2026-01-01T00:05:00Z\n", 0, []string{"next", "--schedule", "rate(5 minutes)", "--from", "2026-01-01T00:00:00Z"}},
	} {
		out, code := call(t, aslcli.RulesCommand(), c.args...)
		require.Equal(t, c.code, code, out)
		require.True(t, strings.HasPrefix(out, c.want) && (code != 0 || out == c.want), out)
	}
	for _, args := range [][]string{
		{"match"}, {"match", "--pattern", "@nowhere", "--event", "{}"}, {"next", "--schedule", "rate(0 days)"}, {"next"},
		{"next", "--schedule", "rate(1 day)", "--timezone", "Mars/Base"}, {"next", "--schedule", "rate(1 day)", "--from", "today"},
		{"next", "--schedule", "rate(1 day)", "--count", "0"},
	} {
		out, code := call(t, aslcli.RulesCommand(), args...)
		require.Equal(t, 2, code, "%v: %s", args, out)
	}
}
