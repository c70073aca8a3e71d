package asl

import (
	"encoding/json"
	"fmt"
	"strings"
)

// AWS's limits: bytes of inputs, outputs and results, of the variables that one state assigns and of all of
// an execution, and events of a history. The event that ends the execution is the last one.
const (
	maxPayload   = 256 << 10
	maxVariable  = 256 << 10
	maxVariables = 10 << 20
	maxEvents    = 25000
)

// tooLarge refuses a payload; who is the state or, for a task's result, the service or function.
func tooLarge(who string, payload json.RawMessage) *Failure {
	if len(payload) <= maxPayload {
		return nil
	}
	return Fail(errLimit, fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", who))
}

// tooLargeInput refuses what a state would hand to a task, a branch or an item.
func tooLargeInput(st *State, field string, payload json.RawMessage) *Failure {
	if len(payload) <= maxPayload {
		return nil
	}
	return Fail(errLimit, fmt.Sprintf("The state/task '%s' made a value for the field '%s' with a size exceeding the maximum number of bytes service limit.", st.Name, field))
}

// assignable holds what a state assigns to the limits for variables.
func (r *Run) assignable(th *Thread, st *State, vars []member, field string) *Failure {
	sum := 0
	for _, v := range vars {
		n := len(v.value)
		if n > maxVariable {
			return r.limitExceeded(th, st, field, "Variable size limit exceeded. Variable '%s' in state '%s' was assigned %d bytes.", v.key, st.Name, n)
		}
		if sum += n; sum > maxVariable {
			return r.limitExceeded(th, st, field, "State total variable size limit exceeded. Variable '%s' in state '%s' was assigned %d bytes, "+
				"which caused the size of variables assigned in the state to exceed its limit by %d bytes.", v.key, st.Name, n, sum-maxVariable)
		}
	}
	if over := r.variablesWith(th, vars) - maxVariables; over > 0 {
		return r.limitExceeded(th, st, field, "Execution total variable size limit exceeded. State '%s' assigned variables that exceed the total "+
			"execution limit by %d bytes.", st.Name, over)
	}
	return nil
}

// limitExceeded records the failure as AWS does, like that of an expression.
func (r *Run) limitExceeded(th *Thread, st *State, field, format string, args ...any) *Failure {
	f := Fail(errLimit, fmt.Sprintf(format, args...))
	r.emit(th, "EvaluationFailed", "evaluationFailedEventDetails", f.details("state", st.Name, "location", field))
	return f
}

// variablesWith is the size of all variables once a thread has got more.
func (r *Run) variablesWith(th *Thread, vars []member) int {
	total := 0
	for _, other := range r.threads {
		for _, v := range other.Vars {
			total += len(v)
		}
	}
	for _, v := range vars {
		total += len(v.value) - len(th.Vars[v.key])
	}
	return total
}

// fits tells whether the history has room for an event, and remembers when it has none. The last place is
// for the end of the execution.
func (r *Run) fits(eventType string) bool {
	if strings.HasPrefix(eventType, "Execution") {
		return true
	}
	r.full = r.full || r.x.LastEvent >= maxEvents-1
	return !r.full
}

// endWhenFull ends an execution whose history is full. Nothing of the transition takes effect.
func (r *Run) endWhenFull() {
	if r.full && r.x.Status == Running {
		r.effects.Start = nil
		f := Fail(errRuntime, fmt.Sprintf("The execution reached the maximum number of history events (%d).", maxEvents))
		r.end(Failed, "ExecutionFailed", "executionFailedEventDetails", f, r.x.LastEvent)
	}
}
