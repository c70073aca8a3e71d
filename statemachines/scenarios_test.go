package statemachines_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
	"github.com/perennial-llm/perennial/statemachines"
)

// scenario is one way through a machine: testdata/<machine>/<name>.json.
type scenario struct {
	Description string             `json:"description"`
	Input       json.RawMessage    `json:"input"`
	Replies     map[string][]reply `json:"replies"` // by state; the last one repeats
	Path        []string           `json:"path"`    // states in the order they are entered
	Status      asl.Status         `json:"status"`
	Output      json.RawMessage    `json:"output"` // absent: none
	Error       string             `json:"error"`
}

// reply is what a task does: it returns a payload, throws an error, or waits for its token.
type reply struct {
	Return json.RawMessage `json:"return"`
	Throw  *thrown         `json:"throw"`
	Answer json.RawMessage `json:"answer"` // of who has the token; absent: nobody answers
}

type thrown struct {
	Error string `json:"error"`
	Cause string `json:"cause"`
}

// TestMachines_GoThroughTheirScenarios also holds each machine that has scenarios to having one for every
// state.
func TestMachines_GoThroughTheirScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	reached := map[string]map[string]bool{}
	for _, file := range files {
		machine := filepath.Base(filepath.Dir(file))
		if reached[machine] == nil {
			reached[machine] = map[string]bool{}
		}
		t.Run(machine+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			for _, state := range play(t, machine, file) {
				reached[machine][state] = true
			}
		})
	}
	for machine := range statemachines.All() {
		require.NotEmpty(t, reached[machine], "no scenario for %s", machine)
	}
	require.Empty(t, faults(t, called), "calls that SageMaker would refuse")
	for machine, states := range reached {
		for _, name := range stateNames(t, machine) {
			require.True(t, states[name], "no scenario of %s reaches %s", machine, name)
		}
	}
}

// called are the calls to SageMaker that the scenarios made, as resource and arguments.
var called [][2]any

// faults checks calls against AWS's own models of its operations, which come with moto.
func faults(t *testing.T, calls [][2]any) string {
	b, err := json.Marshal(calls)
	require.NoError(t, err)
	check := exec.Command("../.cache/moto/bin/python", "testdata/validate_calls.py")
	check.Stdin = bytes.NewReader(b)
	out, err := check.CombinedOutput()
	require.NoError(t, err, "%s (make deps installs it)", out)
	return string(out)
}

func TestMachines_AWrongCallToSageMakerIsFound(t *testing.T) {
	arguments := map[string]any{"EndpointName": "e", "EndpointConfigName": 7, "Speed": "high"}
	found := faults(t, [][2]any{{"arn:aws:states:::sagemaker:createEndpoint", arguments}})
	require.Contains(t, found, "Unknown parameter in input: \"Speed\"")
	require.Contains(t, found, "Invalid type for parameter EndpointConfigName")
}

// states are those of a machine or of a Map's processor.
type states struct {
	States map[string]struct {
		ItemProcessor *states
	}
}

func (s *states) names() (names []string) {
	for name, st := range s.States {
		names = append(names, name)
		if st.ItemProcessor != nil {
			names = append(names, st.ItemProcessor.names()...)
		}
	}
	return names
}

// stateNames gives the states of a machine, those inside Maps too.
func stateNames(t *testing.T, machine string) []string {
	var m states
	require.NoError(t, json.Unmarshal(statemachines.All()[machine], &m))
	return m.names()
}

func play(t *testing.T, name, file string) []string {
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	var s scenario
	require.NoError(t, json.Unmarshal(b, &s))
	p := &player{t: t, scenario: s, calls: map[string]int{}}
	run := p.run(load(t, name))
	if *update {
		rewrite(t, file, b, p.path, run.Execution())
		return p.path
	}
	require.Equal(t, s.Path, p.path)
	require.Equal(t, s.Status, run.Execution().Status, "failure: %v", run.Execution().Failure)
	if s.Output != nil {
		require.JSONEq(t, string(s.Output), string(run.Execution().Output))
	}
	if s.Error != "" {
		require.Equal(t, s.Error, *run.Execution().Failure.Name)
	}
	return p.path
}

var update = flag.Bool("update", false, "write paths and ends into the scenarios; then read the difference")

// rewrite puts what happened into a scenario.
func rewrite(t *testing.T, file string, old []byte, path []string, x asl.Execution) {
	var doc map[string]any
	require.NoError(t, json.Unmarshal(old, &doc))
	doc["path"], doc["status"] = path, x.Status
	if x.Failure != nil {
		doc["error"] = x.Failure.Name
	}
	if x.Status == asl.Succeeded {
		doc["output"] = x.Output
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(b, '\n'), 0o644))
}

// load parses a machine with its substitutions named after themselves.
func load(t *testing.T, name string) *asl.Machine {
	raw := statemachines.All()[name]
	require.NotNil(t, raw, "machine %s", name)
	values := map[string]string{}
	for _, key := range asl.Substitutions(raw) {
		values[key] = key
		if strings.HasSuffix(key, "RoleArn") {
			values[key] = "arn:aws:iam::111122223333:role/" + key // as long as AWS wants them
		}
	}
	raw, err := asl.Substitute(raw, values)
	require.NoError(t, err)
	m, err := asl.Parse(raw)
	require.NoError(t, err)
	return m
}

// player runs a machine under virtual time and keeps the states that it entered.
type player struct {
	t        *testing.T
	scenario scenario
	calls    map[string]int
	path     []string
}

// Commit notes the entered states.
func (p *player) Commit(c asl.Commit) error {
	for _, e := range c.Events {
		if strings.HasSuffix(e.Type, "StateEntered") {
			p.path = append(p.path, e.Details["name"].(string))
		}
	}
	return nil
}

func (p *player) run(m *asl.Machine) *asl.Run {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	env := asl.Env{Expressions: jsonata.NewPool(jsonata.Limits{}), Journal: p}
	r, err := asl.Start(m, env, asl.Execution{ARN: "arn", Name: "n", Machine: "m", MachineARN: "m", Input: p.scenario.Input}, now)
	require.NoError(p.t, err)
	for r.Execution().Status == asl.Running {
		effects, err := r.Step(now)
		require.NoError(p.t, err)
		for _, task := range effects.Start {
			p.perform(r, task, now)
		}
		if next := r.Next(); len(effects.Start) == 0 && next.After(now) {
			now = next
		}
	}
	return r
}

func (p *player) perform(r *asl.Run, task asl.Task, now time.Time) {
	replies := p.scenario.Replies[task.State]
	require.NotEmpty(p.t, replies, "no reply for %s", task.State)
	next := replies[min(p.calls[task.State], len(replies)-1)]
	p.calls[task.State]++
	tasks := asl.Integrations{"arn:aws:states:::lambda:invoke": func(context.Context, asl.Task) (json.RawMessage, error) {
		if next.Throw != nil {
			return nil, asl.LambdaFailure(next.Throw.Error, next.Throw.Cause, "", nil)
		}
		return asl.LambdaResult(next.Return, len(next.Return), "id", "trace", "date"), nil
	}}
	if !strings.Contains(task.Resource, ":lambda:") {
		tasks[task.Resource] = func(context.Context, asl.Task) (json.RawMessage, error) {
			if next.Throw != nil {
				return nil, asl.Fail(next.Throw.Error, next.Throw.Cause)
			}
			return next.Return, nil
		}
	}
	if strings.HasPrefix(task.Resource, "arn:aws:states:::sagemaker:") {
		called = append(called, [2]any{task.Resource, task.Arguments})
	}
	_, err := r.Deliver(asl.Perform(p.t.Context(), task, tasks), now)
	require.NoError(p.t, err)
	if next.Answer != nil {
		_, err := r.Deliver(asl.Signal{TaskID: task.ID, Kind: asl.SignalToken, Output: next.Answer}, now)
		require.NoError(p.t, err)
	}
}
