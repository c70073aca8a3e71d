package aslcli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

type runOptions struct {
	input, mock, testCase string
	history               bool
	sets                  map[string]string
}

func runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run FILE [--input JSON|@FILE] [--mock FILE [--case NAME]] [--history]",
		Short: "Run a state machine in memory; waits take no time",
		Long: "Prints one JSON object: status, then output or error and cause, and with --history the events.\n" +
			"Exit status: 0 SUCCEEDED, 3 any other end, 2 bad use.",
	}
	c.Flags().StringVar(&o.input, "input", "{}", "execution input: JSON, or @FILE")
	c.Flags().StringVar(&o.mock, "mock", "", "mock configuration of AWS Step Functions Local, may add MockedFunctions")
	c.Flags().StringVar(&o.testCase, "case", "", "test case in the mock configuration")
	c.Flags().BoolVar(&o.history, "history", false, "print the events too")
	c.Flags().StringToStringVar(&o.sets, "set", nil, "value of a ${Name} in the definition, Name=value; repeatable")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), args[0], o)
	}
	return use(c, cobra.ExactArgs(1))
}

func run(ctx context.Context, out io.Writer, file string, o runOptions) error {
	m, err := machineFile(file, o.sets)
	if err != nil {
		return err
	}
	input, err := inputOf(o.input)
	if err != nil {
		return err
	}
	mocks, err := loadMocks(o.mock, o.testCase, machineName(file))
	if err != nil {
		return err
	}
	events := &collector{}
	x, err := simulate(ctx, m, machineName(file), input, mocks, events)
	if err != nil {
		return badUse("%v", err)
	}
	return report(out, x, events.events, o.history)
}

func simulate(ctx context.Context, m *asl.Machine, name string, input json.RawMessage, mocks *mocks, j asl.Journal) (asl.Execution, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	const arn = "arn:aws:states:local:000000000000:"
	x := asl.Execution{
		ARN: arn + "execution:" + name + ":local", Name: "local", Machine: name, MachineARN: arn + "stateMachine:" + name,
		RoleARN: "arn:aws:iam::000000000000:role/" + name, Input: input,
	}
	env := asl.Env{Expressions: jsonata.NewPool(jsonata.Limits{}), Journal: j, Activity: mocks.activities(m)}
	r, err := asl.Simulate(ctx, m, env, x, mocks.perform, time.Now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return x, err
	}
	return r.Execution(), nil
}

// machineFile reads and parses a definition. A ${XFunctionArn} without a value stands for the local
// function X; any other placeholder stays as it is.
func machineFile(file string, values map[string]string) (*asl.Machine, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, badUse("%v", plain(err))
	}
	all := map[string]string{}
	for _, name := range asl.Substitutions(raw) {
		all[name] = "${" + name + "}"
		if fn, ok := strings.CutSuffix(name, "FunctionArn"); ok {
			all[name] = "arn:aws:lambda:local:000000000000:function:" + fn
		}
	}
	for name, v := range values {
		all[name] = v
	}
	def, err := asl.Substitute(raw, all)
	if err != nil {
		return nil, badUse("%s: %v", file, err)
	}
	m, err := asl.Parse(def)
	if err != nil {
		return nil, badUse("%s: %v", file, err)
	}
	return m, nil
}

// machineName is the file's name without its endings.
func machineName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	return name
}

// maxInput is AWS's limit for an execution's input, in bytes.
const maxInput = 256 << 10

func inputOf(value string) (json.RawMessage, error) {
	raw, err := argument(value)
	if err != nil {
		return nil, err
	}
	in, err := asl.Compact(raw)
	if err != nil {
		return nil, badUse("--input is not JSON: %v", err)
	}
	if len(in) > maxInput {
		return nil, badUse("--input has %d bytes; an execution takes at most %d", len(in), maxInput)
	}
	return in, nil
}

// collector keeps the history.
type collector struct{ events []asl.Event }

// Commit takes over new events.
func (c *collector) Commit(commit asl.Commit) error {
	c.events = append(c.events, commit.Events...)
	return nil
}

func report(out io.Writer, x asl.Execution, events []asl.Event, history bool) error {
	answer := struct {
		Status asl.Status       `json:"status"`
		Output json.RawMessage  `json:"output,omitempty"`
		Error  *string          `json:"error,omitempty"`
		Cause  *string          `json:"cause,omitempty"`
		Events []map[string]any `json:"events,omitempty"`
	}{Status: x.Status, Output: x.Output}
	if x.Failure != nil {
		answer.Error, answer.Cause = x.Failure.Name, x.Failure.Cause
	}
	for _, e := range events {
		if history {
			answer.Events = append(answer.Events, e.AWS())
		}
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(answer); err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	if x.Status != asl.Succeeded {
		return &ExitError{Code: ExitNotDone}
	}
	return nil
}
