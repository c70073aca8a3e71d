package asl

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// outcome is what a state produced, before Output and Assign.
type outcome struct {
	result json.RawMessage // $states.result; nil where there is none
	choice *Choice         // the rule taken
	rule   int             // and its number
}

// enter records that a thread enters a state.
func (r *Run) enter(th *Thread, st *State) {
	th.EnteredPrev, th.EnteredAt = th.LastEvent, r.now
	th.Attempt, th.Retries, th.Wake = 0, nil, time.Time{}
	th.EnteredEvent = r.emit(th, st.Type+"StateEntered", "stateEnteredEventDetails", dataDetails("input", th.Input, "name", st.Name))
	th.Phase = PhaseReady
}

// leave ends a state with success: Assign and Output are evaluated on the old variables.
func (r *Run) leave(th *Thread, st *State, o outcome) {
	end, next := ending{assign: st.Assign, output: st.Output, value: th.Input}, st.Next
	if o.choice != nil {
		end.assign, end.output, next = o.choice.Assign, o.choice.Output, o.choice.Next
		end.at = fmt.Sprintf("Choices[%d]/", o.rule)
	} else if st.Type == "Choice" {
		next = st.Default
	}
	if o.result != nil {
		end.value = o.result
	}
	vars, out, f := r.results(th, st, end, states{result: o.result})
	if f != nil {
		r.fail(th, st, f)
		return
	}
	r.exit(th, st, vars, out, next)
}

// ending is what a state or one of its rules says about its end.
type ending struct {
	assign, output json.RawMessage
	value          json.RawMessage // the output where none is given
	at             string          // where the fields are: "", "Choices[0]/" or "Catch[1]/"
}

// results evaluates Assign and Output.
func (r *Run) results(th *Thread, st *State, e ending, s states) ([]member, json.RawMessage, *Failure) {
	vars, f := r.assigned(th, st, e, s)
	if f != nil || e.output == nil {
		return vars, e.value, f
	}
	out, f := r.render(th, st, e.output, e.at+"Output", s)
	return vars, out, f
}

func (r *Run) assigned(th *Thread, st *State, e ending, s states) ([]member, *Failure) {
	if e.assign == nil {
		return nil, nil
	}
	v, f := r.render(th, st, e.assign, e.at+"Assign", s)
	if f != nil {
		return nil, f
	}
	vars := membersOf(v)
	return vars, r.assignable(th, st, vars, e.at+"Assign")
}

// exit records the end of a state, takes over variables and goes on.
func (r *Run) exit(th *Thread, st *State, vars []member, output json.RawMessage, next string) {
	if f := tooLarge(st.Name, output); f != nil {
		r.fatal(th, f)
		return
	}
	th.assign(vars)
	d := dataDetails("output", output, "name", st.Name)
	if len(vars) > 0 {
		names := map[string]any{}
		for _, v := range vars {
			names[v.key] = string(v.value)
		}
		d["assignedVariables"], d["assignedVariablesDetails"] = names, map[string]any{"truncated": false}
	}
	r.emit(th, st.Type+"StateExited", "stateExitedEventDetails", d)
	r.clear(th)
	if next == "" {
		r.done(th, output)
		return
	}
	th.State, th.Phase, th.Input = next, PhaseEnter, output
	r.touch(th)
	r.ready = append(r.ready, th.ID)
}

// assign takes over variables.
func (th *Thread) assign(vars []member) {
	if th.Vars == nil && len(vars) > 0 {
		th.Vars = map[string]json.RawMessage{}
	}
	for _, v := range vars {
		th.Vars[v.key] = v.value
	}
}

// clear forgets what belonged to the state that ended.
func (r *Run) clear(th *Thread) {
	th.Arguments, th.TaskID, th.Token, th.Submitted = nil, "", "", false
	th.Timeout, th.Heartbeat, th.BeatEvery = time.Time{}, time.Time{}, 0
	th.Items, th.Children, th.Started, th.Width, th.Tolerated = nil, 0, 0, 0, 0
}

// done ends a thread with success.
func (r *Run) done(th *Thread, output json.RawMessage) {
	th.Phase, th.Output = PhaseDone, output
	r.touch(th)
	if th.ID != "" {
		r.childDone(th)
		return
	}
	if r.full {
		return
	}
	r.x.Status, r.x.Output, r.x.StoppedAt = Succeeded, output, r.now
	r.emit(th, "ExecutionSucceeded", "executionSucceededEventDetails", dataDetails("output", output))
}

func (r *Run) workFail(th *Thread, st *State) {
	f := &Failure{}
	for _, part := range []struct {
		template json.RawMessage
		name     string
		to       **string
	}{{st.Error, "Error", &f.Name}, {st.Cause, "Cause", &f.Cause}} {
		if part.template == nil {
			continue
		}
		text, failed := r.text(th, st, part.template, part.name)
		if failed != nil {
			r.fail(th, st, failed)
			return
		}
		*part.to = &text
	}
	r.fatal(th, f)
}

func (r *Run) workChoice(th *Thread, st *State) {
	for i := range st.Choices {
		field := fmt.Sprintf("Choices[%d]/Condition", i)
		v, f := r.typed(th, st, st.Choices[i].Condition, field, "boolean")
		if f != nil {
			r.fail(th, st, f)
			return
		}
		if string(v) == "true" {
			r.leave(th, st, outcome{choice: &st.Choices[i], rule: i})
			return
		}
	}
	if st.Default == "" {
		r.fail(th, st, Fail(errRuntime, r.where(th, st)+" Failed to transition out of the state. The state does not point to a next state."))
		return
	}
	r.leave(th, st, outcome{})
}

func (r *Run) workWait(th *Thread, st *State) {
	wake, f := r.wakeTime(th, st)
	if f != nil {
		r.fail(th, st, f)
		return
	}
	if !wake.After(r.now) {
		r.leave(th, st, outcome{})
		return
	}
	th.Phase, th.Wake = PhaseTimer, wake
}

func (r *Run) wakeTime(th *Thread, st *State) (time.Time, *Failure) {
	if st.Seconds != nil {
		n, f := r.integer(th, st, st.Seconds, "Seconds", 0, maxSeconds)
		return r.now.Add(time.Duration(n) * time.Second), f
	}
	text, f := r.text(th, st, st.Timestamp, "Timestamp")
	if f != nil {
		return time.Time{}, f
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !strings.Contains(text, "T") {
		th.EnteredPrev = th.LastEvent // AWS chains this failure to the entry event
		return time.Time{}, r.evaluationFailed(th, st, "Timestamp",
			"The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "+text)
	}
	return at, nil
}

// maxSeconds is AWS's limit for waits and timeouts (about three years).
const maxSeconds = 99999999
