package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

// Error names of the language.
const (
	errAll       = "States.ALL"
	errTaskFail  = "States.TaskFailed"
	errTimeout   = "States.Timeout"
	errHeartbeat = "States.HeartbeatTimeout"
	errQuery     = "States.QueryEvaluationError"
	errLimit     = "States.DataLimitExceeded"
	errRuntime   = "States.Runtime"
	errThreshold = "States.ExceedToleratedFailureThreshold"
	errReader    = "States.ItemReaderFailed"
)

// states are the optional members of $states.
type states struct {
	result      json.RawMessage
	errorOutput json.RawMessage
	item        *mapItem
}

type mapItem struct {
	index int
	value json.RawMessage
}

// render fills a template in the scope of a thread. A failure is already recorded as EvaluationFailed.
func (r *Run) render(th *Thread, st *State, template json.RawMessage, field string, s states) (json.RawMessage, *Failure) {
	if !bytes.Contains(template, []byte("{%")) {
		return template, nil
	}
	out, err := r.env.Expressions.Render(template, field, r.bindings(th, template, s), r.now)
	if err == nil {
		return out, nil
	}
	var e *jsonata.Error
	if !errors.As(err, &e) {
		return nil, Fail(errRuntime, err.Error())
	}
	return nil, r.evaluationFailed(th, st, e.Location, expressionText(e))
}

func expressionText(e *jsonata.Error) string {
	text := fmt.Sprintf("The JSONata expression '%s' specified for the field '%s' ", e.Expression, e.Location)
	switch e.Kind {
	case jsonata.Undefined:
		return text + "returned nothing (undefined)."
	case jsonata.Unsupported:
		return text + "returned an unsupported result type."
	case jsonata.Memory:
		return text + "threw an error during evaluation: Expression evaluation memory limit exceeded: Check for excessive memory usage"
	case jsonata.Limit:
		return text + "was stopped: " + e.Message + "."
	}
	return text + "threw an error during evaluation. " + thrown(e)
}

func thrown(e *jsonata.Error) string {
	if e.Code == "" {
		return e.Message
	}
	return e.Code + ": " + e.Message
}

// where opens AWS's cause texts.
func (r *Run) where(th *Thread, st *State) string {
	return fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d).", st.Name, th.EnteredEvent)
}

// evaluationFailed records the event and makes the failure.
func (r *Run) evaluationFailed(th *Thread, st *State, field, text string) *Failure {
	f := Fail(errQuery, r.where(th, st)+" "+text)
	d := f.details("state", st.Name)
	if field != "" {
		d["location"] = field
	}
	r.emitAfter(th.EnteredPrev, th, "EvaluationFailed", "evaluationFailedEventDetails", d)
	return f
}

// typed renders a template that must have a JSON type.
func (r *Run) typed(th *Thread, st *State, template json.RawMessage, field, want string) (json.RawMessage, *Failure) {
	v, f := r.render(th, st, template, field, states{})
	if f != nil || kindOf(v) == want {
		return v, f
	}
	var source string
	_ = json.Unmarshal(template, &source)
	return nil, r.evaluationFailed(th, st, field, fmt.Sprintf(
		"The JSONata expression '%s' specified for the field '%s' returned an unexpected result type. Expected '%s', but was '%s' for value: %s",
		jsonata.Source(source), field, want, kindOf(v), v))
}

func (r *Run) text(th *Thread, st *State, template json.RawMessage, field string) (string, *Failure) {
	v, f := r.typed(th, st, template, field, "string")
	var s string
	if f == nil {
		_ = json.Unmarshal(v, &s)
	}
	return s, f
}

// number renders a template that must be a number within bounds.
func (r *Run) number(th *Thread, st *State, template json.RawMessage, field string, low, high float64) (float64, *Failure) {
	v, f := r.typed(th, st, template, field, "number")
	if f != nil {
		return 0, f
	}
	var n float64
	_ = json.Unmarshal(v, &n)
	if n < low || n > high {
		return 0, r.evaluationFailed(th, st, field, fmt.Sprintf("%s must be between %s and %s.", field, plainNumber(low), plainNumber(high)))
	}
	return n, nil
}

func (r *Run) integer(th *Thread, st *State, template json.RawMessage, field string, low, high float64) (int64, *Failure) {
	n, f := r.number(th, st, template, field, low, high)
	if f == nil && n != math.Trunc(n) {
		return 0, r.evaluationFailed(th, st, field, fmt.Sprintf("%s must be an integer.", field))
	}
	return int64(n), f
}

// bindings are the variables an expression sees: $states and the assigned ones, inner scopes first.
// Only what the template mentions is passed on.
func (r *Run) bindings(th *Thread, template json.RawMessage, s states) []byte {
	members := []member{{"states", object(
		member{"input", th.Input},
		member{"context", r.contextIf(bytes.Contains(template, []byte("context")), th, s)},
		member{"result", s.result},
		member{"errorOutput", s.errorOutput},
	)}}
	seen := map[string]bool{}
	for at := th; at != nil; at = r.parent(at) {
		for name, v := range at.Vars {
			if !seen[name] && bytes.Contains(template, []byte("$"+name)) {
				members = append(members, member{name, v})
			}
			seen[name] = true
		}
	}
	return object(members...)
}

func (r *Run) parent(th *Thread) *Thread {
	if th.ID == "" {
		return nil
	}
	return r.threads[th.Parent]
}

func (r *Run) contextIf(wanted bool, th *Thread, s states) json.RawMessage {
	if !wanted {
		return json.RawMessage("{}")
	}
	return r.context(th, s)
}

// context is the context object ($states.context).
func (r *Run) context(th *Thread, s states) json.RawMessage {
	execution := []member{
		{"Id", marshal(r.x.ARN)}, {"Input", r.x.Input}, {"Name", marshal(r.x.Name)}, {"RoleArn", marshal(r.x.RoleARN)},
		{"StartTime", stamp(r.x.StartedAt)}, {"RedriveCount", marshal(r.x.RedriveCount)},
	}
	if !r.x.RedrivenAt.IsZero() {
		execution = append(execution, member{"RedriveTime", stamp(r.x.RedrivenAt)})
	}
	members := []member{
		{"Execution", object(execution...)},
		{"StateMachine", object(member{"Id", marshal(r.x.MachineARN)}, member{"Name", marshal(r.x.Machine)})},
		{"State", object(member{"Name", marshal(th.State)}, member{"EnteredTime", stamp(th.EnteredAt)}, member{"RetryCount", marshal(th.Attempt)})},
		{"Map", r.mapContext(th, s)},
	}
	if th.Token != "" {
		members = append(members, member{"Task", object(member{"Token", marshal(th.Token)})})
	}
	return object(members...)
}

// mapContext is the item of the nearest Map around the thread, or the one being selected.
func (r *Run) mapContext(th *Thread, s states) json.RawMessage {
	it := s.item
	for at := th; it == nil && at != nil; at = r.parent(at) {
		if at.Item != nil {
			it = &mapItem{at.Index, at.Item}
		}
	}
	if it == nil {
		return nil
	}
	return object(member{"Item", object(member{"Index", marshal(it.index)}, member{"Value", it.value})})
}

func stamp(t time.Time) json.RawMessage { return marshal(t.UTC().Format("2006-01-02T15:04:05.000Z")) }

// membersOf splits a JSON object, keeping the order of its keys.
func membersOf(raw json.RawMessage) []member {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil
	}
	var out []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return out
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return out
		}
		out = append(out, member{key.(string), v})
	}
	return out
}
