package aslcli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// mockFile is AWS Step Functions Local's mock configuration plus MockedFunctions.
type mockFile struct {
	StateMachines map[string]struct {
		TestCases map[string]map[string]string // case → state → name of the response
	}
	MockedResponses map[string]map[string]answer // name → "0" or "1-3" → answer
	MockedFunctions map[string]answer
}

// answer is one mocked outcome.
type answer struct {
	Echo   bool
	Return json.RawMessage
	Throw  *struct{ Error, Cause string }
}

// mocks performs tasks from a mock configuration.
type mocks struct {
	file  mockFile
	steps map[string]string // state → response of the chosen case
	calls map[string]int    // state → tries so far
}

func loadMocks(file, testCase, machine string) (*mocks, error) {
	m := &mocks{calls: map[string]int{}}
	if file == "" {
		if testCase != "" {
			return nil, badUse("--case needs --mock FILE")
		}
		return m, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, badUse("%v", plain(err))
	}
	if err := m.read(raw); err != nil {
		return nil, badUse("%s is not a mock configuration: %v", file, err)
	}
	if err := m.check(); err != nil {
		return nil, badUse("%s: %v", file, err)
	}
	return m, m.choose(testCase, machine)
}

// read decodes the configuration: one JSON object without unknown members.
func (m *mocks) read(raw []byte) error {
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || trimmed[0] != '{' {
		return errors.New("not a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	switch err := d.Decode(&m.file); {
	case errors.As(err, &wrong):
		return fmt.Errorf("%s cannot be a %s (at byte %d)", wrong.Field, wrong.Value, wrong.Offset)
	case err != nil:
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON object")
	}
	return nil
}

// choose picks the test case: of the machine named like the file, else the only one that fits.
func (m *mocks) choose(testCase, machine string) error {
	if own, ok := m.file.StateMachines[machine]; ok && testCase == "" && len(own.TestCases) == 1 {
		for testCase = range own.TestCases {
			break
		}
	}
	if steps, ok := m.file.StateMachines[machine].TestCases[testCase]; ok {
		m.steps = steps
		return nil
	}
	names, fitting := m.cases(testCase)
	switch {
	case len(fitting) == 1:
		m.steps = fitting[0]
	case len(fitting) > 1:
		return badUse("the mock configuration has several fitting test cases; choose one with --case: %s", strings.Join(names, ", "))
	case testCase != "":
		return badUse("no test case %q in the mock configuration; there are: %s", testCase, strings.Join(names, ", "))
	}
	return nil
}

// cases lists the names of all test cases and those that have the name, or all for "".
func (m *mocks) cases(testCase string) (names []string, fitting []map[string]string) {
	for _, sm := range m.file.StateMachines {
		for name, steps := range sm.TestCases {
			names = append(names, name)
			if name == testCase || testCase == "" {
				fitting = append(fitting, steps)
			}
		}
	}
	slices.Sort(names)
	return names, fitting
}

// check finds responses that are named but missing, and answers that say nothing or too much.
func (m *mocks) check() error {
	for name, sm := range m.file.StateMachines {
		for tc, steps := range sm.TestCases {
			for state, response := range steps {
				if m.file.MockedResponses[response] == nil {
					return fmt.Errorf("%s/%s/%s: no mocked response %q", name, tc, state, response)
				}
			}
		}
	}
	for name, tries := range m.file.MockedResponses {
		if err := checkTries(tries); err != nil {
			return fmt.Errorf("MockedResponses/%s/%w", name, err)
		}
	}
	for name, a := range m.file.MockedFunctions {
		if !a.single() {
			return fmt.Errorf("MockedFunctions/%s: give one of Echo, Return, Throw (with an Error)", name)
		}
	}
	return nil
}

// checkTries checks one mocked response: no two of its answers are for the same try.
func checkTries(tries map[string]answer) error {
	taken := map[int][2]int{}
	for key, a := range tries {
		low, high, err := span(key)
		if err != nil || a.Echo || !a.single() {
			return fmt.Errorf("%s: a key is a number or a range such as 1-3, a value has either Return or Throw with an Error", key)
		}
		for _, other := range taken {
			if low <= other[1] && other[0] <= high {
				return fmt.Errorf("%s: another answer is for the same try", key)
			}
		}
		taken[low] = [2]int{low, high}
	}
	return nil
}

func (a answer) single() bool {
	if a.Throw != nil && a.Throw.Error == "" {
		return false
	}
	n := 0
	for _, given := range []bool{a.Echo, a.Return != nil, a.Throw != nil} {
		if given {
			n++
		}
	}
	return n == 1
}

// span reads "2" or "1-3".
func span(key string) (low, high int, err error) {
	first, last, ranged := strings.Cut(key, "-")
	if low, err = strconv.Atoi(first); err != nil {
		return 0, 0, err
	}
	high = low
	if ranged {
		high, err = strconv.Atoi(last)
	}
	if err == nil && (low < 0 || high < low) {
		err = errors.New("the range is empty")
	}
	return low, high, err
}

// perform answers a task: by its state's mocked response, else by its function's mock.
func (m *mocks) perform(ctx context.Context, t asl.Task) []asl.Signal {
	if response, ok := m.steps[t.State]; ok {
		return m.respond(t, response)
	}
	return asl.Integrations{
		asl.DirectLambda: func(_ context.Context, t asl.Task) (json.RawMessage, error) {
			return m.call(t.Resource, t.Arguments)
		},
		"arn:aws:states:::lambda:invoke": m.invoke,
		t.Resource:                       m.known(t.Resource),
	}.Signals(ctx, t)
}

// activities tells which activities there are: those of the states that the test case mocks.
func (m *mocks) activities(machine *asl.Machine) func(arn string) bool {
	mocked := map[string]bool{}
	machine.Each(func(st *asl.State) {
		if _, ok := m.steps[st.Name]; ok {
			mocked[st.Resource] = true
		}
	})
	return func(arn string) bool { return mocked[arn] }
}

// known keeps the function integrations and names every other resource as unmocked.
func (m *mocks) known(resource string) asl.Integration {
	switch {
	case strings.HasPrefix(resource, "arn:aws:states:::lambda:invoke"):
		return m.invoke
	case strings.Contains(resource, ":function:"):
		return func(_ context.Context, t asl.Task) (json.RawMessage, error) { return m.call(t.Resource, t.Arguments) }
	}
	return func(_ context.Context, t asl.Task) (json.RawMessage, error) {
		return nil, asl.Fail("States.Runtime", fmt.Sprintf("state '%s' calls %s, which is not mocked; name the state in a test case of the mock configuration", t.State, t.Resource))
	}
}

func (m *mocks) respond(t asl.Task, response string) []asl.Signal {
	try := m.calls[t.State]
	m.calls[t.State]++
	for key, a := range m.file.MockedResponses[response] {
		low, high, _ := span(key)
		if try < low || try > high {
			continue
		}
		if a.Throw != nil {
			return []asl.Signal{{TaskID: t.ID, Kind: asl.SignalFailed, Failure: asl.Fail(a.Throw.Error, a.Throw.Cause)}}
		}
		return succeed(t, a.Return)
	}
	return []asl.Signal{{TaskID: t.ID, Kind: asl.SignalFailed, Failure: asl.Fail("States.Runtime",
		fmt.Sprintf("mocked response %q has no answer for try %d of state '%s'", response, try, t.State))}}
}

// succeed ends a task; jobs and token waits are submitted first.
func succeed(t asl.Task, output json.RawMessage) []asl.Signal {
	end := asl.Signal{TaskID: t.ID, Kind: asl.SignalToken, Output: output}
	if strings.Contains(t.Resource, ".sync") || strings.Contains(t.Resource, ".waitForTaskToken") {
		return []asl.Signal{{TaskID: t.ID, Kind: asl.SignalSubmitted, Output: output}, end}
	}
	return []asl.Signal{end}
}

// invoke is lambda:invoke over the mocked functions.
func (m *mocks) invoke(_ context.Context, t asl.Task) (json.RawMessage, error) {
	var a struct {
		FunctionName string
		Payload      json.RawMessage
	}
	if err := json.Unmarshal(t.Arguments, &a); err != nil {
		return nil, asl.Fail("States.Runtime", "the Arguments of lambda:invoke are not an object: "+err.Error())
	}
	out, err := m.call(a.FunctionName, asl.LambdaPayload(a.Payload))
	if err != nil {
		return nil, err
	}
	return asl.LambdaResult(out, len(out), requestID, "Root=1-0-0", "Thu, 01 Jan 1970 00:00:00 GMT"), nil
}

const requestID = "00000000-0000-4000-8000-000000000000"

// call answers for a function by its name, its ARN or the name of its substitution.
func (m *mocks) call(function string, payload json.RawMessage) (json.RawMessage, error) {
	a, ok := m.function(function)
	switch {
	case !ok:
		return nil, asl.Fail("Lambda.ResourceNotFoundException", "Function not found: "+function+" (name it in MockedFunctions of the mock configuration)")
	case a.Throw != nil:
		return nil, thrown(a.Throw.Error, a.Throw.Cause)
	case a.Echo:
		return payload, nil
	}
	return a.Return, nil
}

// thrown is a function's own error: unless the cause is already AWS's JSON, it is made from the message.
func thrown(name, cause string) error {
	var given struct {
		ErrorMessage *string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &given) == nil && given.ErrorMessage != nil {
		return asl.Fail(name, cause)
	}
	return asl.LambdaFailure(name, cause, requestID, []string{})
}

func (m *mocks) function(function string) (answer, bool) {
	name := function
	if i := strings.Index(function, ":function:"); i >= 0 {
		name = function[i+len(":function:"):]
	}
	bare, _, _ := strings.Cut(name, ":")
	for _, key := range []string{function, name, bare, bare + "FunctionArn", strings.Trim(function, "${}")} {
		if a, ok := m.file.MockedFunctions[key]; ok {
			return a, true
		}
	}
	return answer{}, false
}
