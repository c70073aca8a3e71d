package asl

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// workTask evaluates a task's fields, records it as scheduled and asks the host to start it.
func (r *Run) workTask(th *Thread, st *State) {
	if parseResource(st.Resource).activity && !r.env.Activity(st.Resource) {
		r.fail(th, st, Fail(errRuntime, r.where(th, st)+" The activity "+st.Resource+" does not exist."))
		return
	}
	th.TaskID = r.taskID(th)
	th.Token = ""
	if beats(st) || bytesContain(st.Arguments, "Task.Token") {
		th.Token = r.env.Token(r.x.ARN, th.ID, th.TaskID)
	}
	fields, f := r.taskFields(th, st)
	if f != nil {
		r.fail(th, st, f)
		return
	}
	timeout, heartbeat := fields.timeout, fields.heartbeat
	th.Arguments, th.Phase, th.Submitted = fields.arguments, PhaseTask, false
	th.Timeout, th.Heartbeat, th.BeatEvery = time.Time{}, time.Time{}, 0
	if timeout > 0 {
		th.Timeout = r.now.Add(time.Duration(timeout) * time.Second)
	}
	if heartbeat > 0 && beats(st) {
		th.BeatEvery = time.Duration(heartbeat) * time.Second
		th.Heartbeat = r.now.Add(th.BeatEvery)
	}
	r.scheduled(th, st, fields)
	r.taskEvent(th, st, "Started", map[string]any{})
	r.effects.Start = append(r.effects.Start, r.task(th))
	r.touch(th)
}

// beats tells whether a task can send heartbeats at all: only who holds a token can.
func beats(st *State) bool {
	r := parseResource(st.Resource)
	return r.waitsForToken() || r.activity
}

func bytesContain(raw json.RawMessage, s string) bool { return strings.Contains(string(raw), s) }

// taskFields are a Task's evaluated fields; times are in seconds, 0 where none is given.
type taskFields struct {
	arguments          json.RawMessage
	timeout, heartbeat int64
	role               string // of Credentials
}

func (r *Run) taskFields(th *Thread, st *State) (t taskFields, f *Failure) {
	t.arguments = th.Input
	if st.Arguments != nil {
		if t.arguments, f = r.arguments(th, st); f != nil {
			return t, f
		}
	}
	if st.TimeoutSeconds != nil {
		if t.timeout, f = r.integer(th, st, st.TimeoutSeconds, "TimeoutSeconds", 1, maxSeconds); f != nil {
			return t, f
		}
	}
	if st.Heartbeat != nil {
		if t.heartbeat, f = r.integer(th, st, st.Heartbeat, "HeartbeatSeconds", 1, maxSeconds); f != nil {
			return t, f
		}
	}
	if st.Credentials != nil {
		t.role, f = r.text(th, st, st.Credentials.RoleArn, "Credentials/RoleArn")
	}
	return t, f
}

// arguments evaluates what a task or the branches of a Parallel are given.
func (r *Run) arguments(th *Thread, st *State) (json.RawMessage, *Failure) {
	out, f := r.render(th, st, st.Arguments, "Arguments", states{})
	if f == nil {
		f = tooLargeInput(st, "Arguments", out)
	}
	return out, f
}

// taskID is the same for the same attempt of the same state visit, however often it is driven.
func (r *Run) taskID(th *Thread) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d\n%d\n%d", r.x.ARN, th.ID, th.State, th.EnteredEvent, th.Attempt, th.RedriveSeq))
	return slug(th.State, 40) + "-" + hex.EncodeToString(sum[:10])
}

// slug keeps what job names may contain.
func slug(s string, limit int) string {
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, s)
	clean = strings.Trim(clean, "-")
	if len(clean) > limit {
		clean = strings.TrimRight(clean[:limit], "-")
	}
	if clean == "" {
		return "task"
	}
	return clean
}

// task describes the attempt in flight to the host.
func (r *Run) task(th *Thread) Task {
	return Task{
		ID: th.TaskID, ExecutionARN: r.x.ARN, ExecutionName: r.x.Name, StateMachine: r.x.Machine,
		State: th.State, Resource: r.StateOf(th).Resource, Arguments: th.Arguments, Token: th.Token,
		Attempt: th.Attempt, Deadline: th.Timeout,
	}
}

// SignalKind says what is known about a task.
type SignalKind int

// The kinds of signals.
const (
	SignalSubmitted SignalKind = iota // the request was accepted; Output is the service's answer
	SignalReturned                    // the integration returned Output
	SignalFailed                      // the task failed with Failure
	SignalToken                       // SendTaskSuccess with Output
	SignalBeat                        // SendTaskHeartbeat
)

// Signal is news about the task with the id.
type Signal struct {
	TaskID  string
	Kind    SignalKind
	Output  json.RawMessage
	Failure *Failure
}

// Deliver takes news about a task and reports whether the task is still wanted. Call Step afterwards.
func (r *Run) Deliver(s Signal, now time.Time) (bool, error) {
	th := r.waiting(s.TaskID)
	if th == nil {
		return false, nil
	}
	if s.Kind == SignalSubmitted && th.Submitted {
		return true, nil // said again after a restart
	}
	r.now = now
	st := r.StateOf(th)
	r.touch(th)
	switch s.Kind {
	case SignalSubmitted:
		r.submitted(th, st, s.Output)
	case SignalReturned:
		r.returned(th, st, s.Output)
	case SignalToken:
		r.taskSucceeded(th, st, s.Output)
	case SignalBeat:
		if th.BeatEvery > 0 {
			th.Heartbeat = now.Add(th.BeatEvery)
		}
	case SignalFailed:
		r.taskFailed(th, st, s.Failure)
	}
	return true, r.commit()
}

// waiting finds the thread that waits for a task.
func (r *Run) waiting(taskID string) *Thread {
	if r.x.Status != Running {
		return nil
	}
	for _, th := range r.threads {
		if th.TaskID == taskID && (th.Phase == PhaseTask || th.Phase == PhaseToken) {
			return th
		}
	}
	return nil
}

func (r *Run) submitted(th *Thread, st *State, output json.RawMessage) {
	if th.Submitted {
		return
	}
	th.Submitted = true
	r.taskEvent(th, st, "Submitted", dataDetails("output", output))
}

func (r *Run) returned(th *Thread, st *State, output json.RawMessage) {
	if !parseResource(st.Resource).waitsForToken() {
		r.taskSucceeded(th, st, output)
		return
	}
	r.submitted(th, st, output)
	th.Phase = PhaseToken
}

func (r *Run) taskSucceeded(th *Thread, st *State, output json.RawMessage) {
	out, err := compact(output)
	if err != nil {
		r.taskFailed(th, st, Fail(errRuntime, "The task's output is not valid JSON: "+err.Error()))
		return
	}
	if f := tooLarge(parseResource(st.Resource).author(), out); f != nil {
		r.taskFailed(th, st, f)
		return
	}
	r.taskEvent(th, st, "Succeeded", dataDetails("output", out))
	r.cancelTask(th)
	r.leave(th, st, outcome{result: out})
}

func (r *Run) taskFailed(th *Thread, st *State, f *Failure) {
	r.taskEvent(th, st, "Failed", f.details())
	r.cancelTask(th)
	r.fail(th, st, f)
}

func (r *Run) taskTimedOut(th *Thread) {
	st := r.StateOf(th)
	f := &Failure{Name: ptr(errTimeout), Heartbeat: !th.Heartbeat.IsZero() && !th.Heartbeat.After(r.now)}
	r.taskEvent(th, st, "TimedOut", f.details())
	r.cancelTask(th)
	r.fail(th, st, f)
}

// cancelTask tells the host that a task is no longer waited for.
func (r *Run) cancelTask(th *Thread) {
	if th.Phase == PhaseTask || th.Phase == PhaseToken {
		r.effects.Cancel = append(r.effects.Cancel, th.TaskID)
		th.Phase = PhaseReady
		r.touch(th)
	}
}

// AsFailure names an error of an integration: a Failure keeps its name, an errs.Error gives its code,
// everything else is States.TaskFailed.
func AsFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	var e *errs.Error
	if errors.As(err, &e) {
		return Fail(string(e.Code), e.Error())
	}
	return Fail(errTaskFail, err.Error())
}
