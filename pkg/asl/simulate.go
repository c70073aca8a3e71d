package asl

import (
	"context"
	"encoding/json"
	"time"
)

// Performer does a task at once and gives the news about it, such as "submitted" and "succeeded".
type Performer func(ctx context.Context, t Task) []Signal

// Simulate runs an execution to its end on the caller's goroutine: tasks are performed one after
// another in the order they were scheduled, and waiting takes no time, since the clock jumps to the
// next thing that is due. An execution that waits for a token that nobody can send is stopped.
func Simulate(ctx context.Context, m *Machine, env Env, x Execution, tasks Performer, now time.Time) (*Run, error) {
	r, err := Start(m, env, x, now)
	if err != nil {
		return nil, err
	}
	return r, r.Drive(ctx, tasks, now)
}

// Drive runs an execution that was started, resumed or redriven to its end, as Simulate does.
func (r *Run) Drive(ctx context.Context, tasks Performer, now time.Time) error {
	for r.x.Status == Running {
		effects, err := r.Step(now)
		if err != nil {
			return err
		}
		if now, err = r.perform(ctx, effects, tasks, now); err != nil {
			return err
		}
	}
	return nil
}

// perform does a step's tasks; if there are none, it gives the time of the next timer.
func (r *Run) perform(ctx context.Context, e Effects, tasks Performer, now time.Time) (time.Time, error) {
	for _, t := range e.Start {
		for _, s := range tasks(ctx, t) {
			if _, err := r.Deliver(s, now); err != nil {
				return now, err
			}
		}
	}
	if next := r.Next(); len(e.Start) == 0 && next.After(now) {
		return next, nil
	} else if len(e.Start) == 0 && next.IsZero() && r.x.Status == Running {
		_, err := r.Stop(*Fail("Perennial.Stuck", "nothing can happen any more: a task waits for a token that nobody can send"), now)
		return now, err
	}
	return now, ctx.Err()
}

// Signals performs a task with its integration; it is a Performer.
func (in Integrations) Signals(ctx context.Context, t Task) []Signal {
	var signals []Signal
	t.submitted = func(out json.RawMessage) {
		signals = append(signals, Signal{TaskID: t.ID, Kind: SignalSubmitted, Output: out})
	}
	return append(signals, Perform(ctx, t, in))
}

// Perform runs a task with the integration that its resource names and gives the outcome.
func Perform(ctx context.Context, t Task, tasks Integrations) Signal {
	do, ok := tasks.Lookup(t.Resource)
	if !ok {
		return Signal{TaskID: t.ID, Kind: SignalFailed, Failure: Fail(errRuntime, "no integration performs the resource "+t.Resource)}
	}
	out, err := do(ctx, t)
	if err != nil {
		return Signal{TaskID: t.ID, Kind: SignalFailed, Failure: AsFailure(err)}
	}
	return Signal{TaskID: t.ID, Kind: SignalReturned, Output: out}
}

// WithSubmitted gives a copy of the task that reports its submission to f.
func (t Task) WithSubmitted(f func(output []byte)) Task {
	t.submitted = func(out json.RawMessage) { f(out) }
	return t
}
