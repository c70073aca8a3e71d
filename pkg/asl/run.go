package asl

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

// Env is what a Run needs from its surroundings.
type Env struct {
	Expressions *jsonata.Pool
	Journal     Journal                                            // nil: keep nothing
	Token       func(executionARN, threadID, taskID string) string // nil: the task id itself
	Activity    func(arn string) bool                              // whether an activity exists; nil: all do
	Region      string                                             // in events; empty: "local"
}

// Effects are what the host has to do after a step: tasks to start and tasks (by id) whose results
// are no longer wanted.
type Effects struct {
	Start  []Task
	Cancel []string
}

// Run is one execution under way. It is not safe for concurrent use.
type Run struct {
	env     Env
	machine *Machine
	x       *Execution
	threads map[string]*Thread
	ready   []string // ids of threads that can move now, first come first served
	now     time.Time

	changed map[string]bool
	dropped []string
	events  []Event
	effects Effects
	full    bool  // the history has no room for an event that came
	broken  error // a failed commit: the run must be resumed from the store
}

func newRun(m *Machine, env Env, x *Execution) *Run {
	if env.Token == nil {
		env.Token = func(_, _, taskID string) string { return taskID }
	}
	if env.Activity == nil {
		env.Activity = func(string) bool { return true }
	}
	if env.Region == "" {
		env.Region = "local"
	}
	return &Run{env: env, machine: m, x: x, threads: map[string]*Thread{}, changed: map[string]bool{}}
}

// Start begins an execution. The header needs ARN, Name, Machine, MachineARN and Input; the rest is set
// here. The first transition is committed.
func Start(m *Machine, env Env, x Execution, now time.Time) (*Run, error) {
	r := newRun(m, env, &x)
	r.now = now
	x.Status, x.StartedAt = Running, now
	if m.TimeoutSeconds > 0 {
		x.Deadline = now.Add(time.Duration(m.TimeoutSeconds) * time.Second)
	}
	root := &Thread{State: m.StartAt, Phase: PhaseEnter, Input: x.Input}
	r.threads[""] = root
	r.emit(nil, "ExecutionStarted", "executionStartedEventDetails", dataDetails("input", x.Input, "roleArn", x.RoleARN))
	r.touch(root)
	r.ready = append(r.ready, "")
	return r, r.commit()
}

// Resume continues an execution from its committed state. The returned effects start the tasks that
// were in flight again, under the same ids.
func Resume(m *Machine, env Env, x Execution, threads []*Thread) (*Run, Effects) {
	r := newRun(m, env, &x)
	slices.SortFunc(threads, func(a, b *Thread) int { return int(a.EnteredEvent - b.EnteredEvent) })
	for _, th := range threads {
		r.threads[th.ID] = th
	}
	if x.Status != Running {
		return r, Effects{}
	}
	for _, th := range threads {
		switch th.Phase {
		case PhaseEnter, PhaseReady:
			r.ready = append(r.ready, th.ID)
		case PhaseTask:
			r.effects.Start = append(r.effects.Start, r.task(th))
		}
	}
	return r, r.takeEffects()
}

// Execution gives the header as of the last commit.
func (r *Run) Execution() Execution { return *r.x }

// Threads gives the live threads, outer ones first.
func (r *Run) Threads() []*Thread {
	out := make([]*Thread, 0, len(r.threads))
	for _, th := range r.threads {
		out = append(out, th)
	}
	slices.SortFunc(out, func(a, b *Thread) int { return int(a.EnteredEvent - b.EnteredEvent) })
	return out
}

// StateOf gives the state a thread is in.
func (r *Run) StateOf(th *Thread) *State { return r.scope(th).States[th.State] }

// scope gives the states that a thread moves in.
func (r *Run) scope(th *Thread) *Scope {
	if th.ID == "" {
		return &r.machine.Scope
	}
	parent := r.StateOf(r.threads[th.Parent])
	if parent.Type == "Map" {
		return parent.ItemProcessor
	}
	return parent.Branches[th.Index]
}

// Step moves on whatever can move at the given time: timers that are due, then every ready thread,
// one committed transition at a time, until all threads wait.
func (r *Run) Step(now time.Time) (Effects, error) {
	if r.broken != nil {
		return Effects{}, r.broken
	}
	r.now = now
	if err := r.expire(); err != nil {
		return Effects{}, err
	}
	for len(r.ready) > 0 && r.x.Status == Running {
		id := r.ready[0]
		r.ready = r.ready[1:]
		if th := r.threads[id]; th != nil {
			r.advance(th)
			if err := r.commit(); err != nil {
				return Effects{}, err
			}
		}
	}
	return r.takeEffects(), nil
}

// advance makes one transition of a thread.
func (r *Run) advance(th *Thread) {
	st := r.scope(th).States[th.State]
	if th.Phase == PhaseEnter {
		r.enter(th, st)
	}
	r.work(th, st)
	r.touch(th)
}

// work does or starts what a state is for.
func (r *Run) work(th *Thread, st *State) {
	switch st.Type {
	case "Pass", "Succeed":
		r.leave(th, st, outcome{})
	case "Fail":
		r.workFail(th, st)
	case "Choice":
		r.workChoice(th, st)
	case "Wait":
		r.workWait(th, st)
	case "Task":
		r.workTask(th, st)
	case "Parallel":
		r.workParallel(th, st)
	case "Map":
		r.workMap(th, st)
	}
}

func (r *Run) touch(th *Thread) { r.changed[th.ID] = true }

func (r *Run) drop(th *Thread) {
	delete(r.threads, th.ID)
	delete(r.changed, th.ID)
	r.dropped = append(r.dropped, th.ID)
}

// commit hands the transition to the journal.
func (r *Run) commit() error {
	if r.broken != nil {
		return r.broken
	}
	r.endWhenFull()
	c := Commit{Execution: r.x, Dropped: r.dropped, Events: r.events}
	for id := range r.changed {
		if th := r.threads[id]; th != nil {
			c.Changed = append(c.Changed, th)
		}
	}
	r.changed, r.dropped, r.events = map[string]bool{}, nil, nil
	if r.env.Journal == nil || len(c.Changed)+len(c.Dropped)+len(c.Events) == 0 {
		return nil
	}
	if err := r.env.Journal.Commit(c); err != nil {
		r.broken = fmt.Errorf("commit transition of %s: %w", r.x.ARN, err)
	}
	return r.broken
}

func (r *Run) takeEffects() Effects {
	e := r.effects
	r.effects = Effects{}
	return e
}

// Stop aborts the execution, as StopExecution does.
func (r *Run) Stop(f Failure, now time.Time) (Effects, error) {
	if r.x.Status != Running {
		return Effects{}, errors.New("the execution is not running")
	}
	r.now = now
	r.end(Aborted, "ExecutionAborted", "executionAbortedEventDetails", &f, 0)
	err := r.commit()
	return r.takeEffects(), err
}

// end closes the execution without success; threads stay for a redrive. What comes from outside, such as
// a stop, follows no event.
func (r *Run) end(s Status, eventType, key string, f *Failure, previous int64) {
	r.x.Status, r.x.StoppedAt, r.x.Failure = s, r.now, f
	r.emitAfter(previous, r.threads[""], eventType, key, f.details())
	for _, th := range r.threads {
		r.cancelTask(th)
	}
	r.ready = nil
}

func ptr[T any](v T) *T { return &v }
