// Package conformance holds the interpreter to executions that were recorded on AWS: it runs each
// recorded definition with the same input and function stubs and compares outcome and history.
package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

// File is a file of recorded executions.
type File struct {
	Source  string `json:"source"`
	Masking string `json:"masking"`
	Cases   []Case `json:"cases"`
}

// Case is one recorded execution. Definition and Input are JSON texts.
type Case struct {
	Key        string           `json:"key"`
	Index      int              `json:"i"`
	Definition string           `json:"definition"`
	Input      string           `json:"input"`
	Lambdas    [][2]string      `json:"lambdas"` // name, "echo" or "raise"
	Events     []map[string]any `json:"events"`
}

// Name identifies the case.
func (c Case) Name() string { return fmt.Sprintf("%s#%d", c.Key, c.Index) }

// Load reads a file of recorded executions.
func Load(path string) (File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("read recorded executions: %w", err)
	}
	var f File
	if err := json.Unmarshal(raw, &f); err != nil {
		return File{}, fmt.Errorf("decode %s: %w", path, err)
	}
	if len(f.Cases) == 0 {
		return File{}, fmt.Errorf("%s holds no cases", path)
	}
	return f, nil
}

// recorder keeps the events of a run in memory.
type recorder struct{ events []asl.Event }

func (r *recorder) Commit(c asl.Commit) error {
	r.events = append(r.events, c.Events...)
	return nil
}

// Replay runs the case's definition and gives the history in AWS's shape.
func (c Case) Replay(ctx context.Context, pool *jsonata.Pool) ([]map[string]any, error) {
	m, err := asl.Parse([]byte(c.Definition))
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", c.Name(), err)
	}
	rec := &recorder{}
	x := asl.Execution{
		ARN: "arn:aws:states:us-east-1:111111111111:execution:machine:run", Name: "run", Machine: "machine",
		MachineARN: "arn:aws:states:us-east-1:111111111111:stateMachine:machine", RoleARN: "role", Input: json.RawMessage(c.Input),
	}
	env := asl.Env{Expressions: pool, Journal: rec, Region: "us-east-1"}
	start := time.Date(2024, 11, 1, 12, 0, 0, 0, time.UTC)
	if _, err := asl.Simulate(ctx, m, env, x, c.integrations().Signals, start); err != nil {
		return nil, fmt.Errorf("run %s: %w", c.Name(), err)
	}
	return awsShape(rec.events)
}

// awsShape passes the events through JSON, so that both sides have the same Go types.
func awsShape(events []asl.Event) ([]map[string]any, error) {
	out := make([]map[string]any, len(events))
	for i, e := range events {
		out[i] = e.AWS()
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode history: %w", err)
	}
	var again []map[string]any
	return again, json.Unmarshal(raw, &again)
}

// integrations are the function stubs of the recording.
func (c Case) integrations() asl.Integrations {
	return asl.Integrations{
		asl.DirectLambda: func(_ context.Context, t asl.Task) (json.RawMessage, error) {
			return c.call(t.Resource, t.Arguments)
		},
		"arn:aws:states:::lambda:invoke": func(_ context.Context, t asl.Task) (json.RawMessage, error) {
			var a struct {
				FunctionName string
				Payload      json.RawMessage
			}
			if err := json.Unmarshal(t.Arguments, &a); err != nil {
				return nil, fmt.Errorf("decode lambda arguments: %w", err)
			}
			out, err := c.call(a.FunctionName, asl.LambdaPayload(a.Payload))
			if err != nil {
				return nil, err
			}
			return asl.LambdaResult(out, pythonLength(out), "x-amzn-RequestId", "X-Amzn-Trace-Id", "date"), nil
		},
	}
}

func (c Case) call(function string, payload json.RawMessage) (json.RawMessage, error) {
	for _, l := range c.Lambdas {
		if l[0] != function && !strings.HasSuffix(function, ":function:"+l[0]) {
			continue
		}
		if l[1] == "raise" {
			return nil, asl.LambdaFailure("Exception", "Some exception was raised.", "00000000-0000-4000-8000-000000000000", []string{
				"  File \"/var/task/handler.py\", line 2, in handler\n    raise Exception(\"Some exception was raised.\")\n"})
		}
		return payload, nil
	}
	return nil, asl.Fail("Lambda.ResourceNotFoundException", "Function not found: "+function)
}

// pythonLength is the length of the value as Python's json.dumps writes it, which is what the recorded
// functions sent: ", " and ": " between tokens, everything but ASCII escaped.
func pythonLength(raw json.RawMessage) int {
	n, inString, escaped := 0, false, false
	for _, r := range string(raw) {
		n += pythonWidth(r)
		switch {
		case escaped:
			escaped = false
		case inString && r == '\\':
			escaped = true
		case r == '"':
			inString = !inString
		case !inString && (r == ',' || r == ':'):
			n++
		}
	}
	return n
}

func pythonWidth(r rune) int {
	switch {
	case r < 0x80:
		return 1
	case r > 0xffff:
		return 12 // a surrogate pair
	}
	return 6
}
