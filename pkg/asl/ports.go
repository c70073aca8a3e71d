package asl

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Integration performs the tasks of one resource, such as "arn:aws:states:::lambda:invoke" or
// "arn:aws:states:::sagemaker:createTrainingJob.sync". It blocks until the task is done:
//
//   - request-response: until the service answered;
//   - .sync: until the job ended; it calls Task.Submitted once with the answer of the create call;
//   - .waitForTaskToken: only until the request was accepted. Its output becomes the TaskSubmitted
//     event; the engine itself then waits for the token (Task.Token).
//
// The output is the task's result as a JSON document ($states.result). An error is a *Failure with
// the name that ErrorEquals sees; an errs.Error becomes a Failure named after its code; any other
// error is States.TaskFailed.
//
// Delivery is at least once. After a kill or a restart the engine calls the integration again with
// the same Task.ID, so effects are made under that id, describe-before-create, and a job found
// running is awaited. When ctx ends, context.Cause(ctx) tells why: ErrTaskAborted (stop, timeout,
// sibling failed: stop the job too, best effort) or anything else (the process goes down: leave the
// job alone, it will be found again).
type Integration func(ctx context.Context, t Task) (json.RawMessage, error)

// ErrTaskAborted is the cancellation cause of a task that the execution no longer waits for.
var ErrTaskAborted = errors.New("task aborted")

// Integrations maps a resource to what performs it. A key is the full resource string. A resource
// with ".waitForTaskToken" that has no entry of its own is served by the entry without the suffix.
// Functions named directly by ARN are served by the entry DirectLambda.
type Integrations map[string]Integration

// DirectLambda is the key in Integrations for Task states whose Resource is a function's ARN.
const DirectLambda = "arn:aws:lambda"

// AnyActivity is the key in Integrations for Task states whose Resource is an activity's ARN. The
// integration blocks until a worker is done, may give out Task.Token, and its heartbeats count.
const AnyActivity = "arn:aws:states:activity"

// Lookup finds the integration for a resource.
func (in Integrations) Lookup(resource string) (Integration, bool) {
	r := parseResource(resource)
	for _, key := range []string{resource, r.withoutToken(), r.family()} {
		if f, ok := in[key]; ok && key != "" {
			return f, true
		}
	}
	return nil, false
}

// Task is one attempt of a Task state.
type Task struct {
	// ID is unique per attempt, the same after every restart, and made of [A-Za-z0-9-], at most 63
	// characters: fit to name a SageMaker job or an execution.
	ID            string
	ExecutionARN  string
	ExecutionName string
	StateMachine  string // name of the state machine
	State         string // name of the state
	Resource      string // as in the definition, substitutions made
	Arguments     json.RawMessage
	Token         string // of .waitForTaskToken tasks ($states.context.Task.Token) and activities, else empty
	Attempt       int    // 0 for the first, counting Retry
	Deadline      time.Time

	submitted func(json.RawMessage)
}

// Submitted reports that a .sync task's job was accepted, with the service's answer. It is recorded
// as the TaskSubmitted event. Calling it again (after a restart) is harmless.
func (t Task) Submitted(output json.RawMessage) {
	if t.submitted != nil {
		t.submitted(output)
	}
}

// Failure is an error of a state: the name that Retry and Catch match on and its cause. A nil part
// is absent in events and null in $states.errorOutput, as with SendTaskFailure without an error.
type Failure struct {
	Name  *string `json:"name,omitempty"`
	Cause *string `json:"cause,omitempty"`

	// Heartbeat marks a timeout by a missing heartbeat, which States.HeartbeatTimeout matches.
	Heartbeat bool `json:"heartbeat,omitempty"`
}

// Fail makes a Failure with a name and a cause.
func Fail(name, cause string) *Failure { return &Failure{Name: &name, Cause: &cause} }

// Error gives name and cause on one line.
func (f *Failure) Error() string { return f.name() + ": " + deref(f.Cause) }

func (f *Failure) name() string { return deref(f.Name) }

// Journal makes a transition durable. Commit is called once per transition, before any effect of it
// starts; an error stops the run where it was before.
type Journal interface {
	Commit(c Commit) error
}

// Commit is one transition: the execution's new header, the threads that changed, the ids of the
// threads that ended and the history events it added.
type Commit struct {
	Execution *Execution
	Changed   []*Thread
	Dropped   []string
	Events    []Event
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
