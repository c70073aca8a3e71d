package states

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// actor owns one running execution: one goroutine makes its transitions, everything else sends it messages.
type actor struct {
	s     *Service
	arn   string
	run   *asl.Run
	inbox chan func()
	ended chan struct{} // closed when the goroutine is gone

	stopTimer func()
	tasks     map[string]context.CancelCauseFunc // in flight, by id
	workers   sync.WaitGroup
}

func (s *Service) newActor(arn string) *actor {
	return &actor{s: s, arn: arn, inbox: make(chan func()), ended: make(chan struct{}), stopTimer: func() {}, tasks: map[string]context.CancelCauseFunc{}}
}

// env is what the run sees of the service; b is set for a new execution.
func (a *actor) env(b *birth) asl.Env {
	return asl.Env{Expressions: a.s.pool, Journal: &journal{a: a, birth: b}, Token: a.s.token, Activity: a.s.knows, Region: a.s.cfg.Region}
}

// journal commits an actor's transitions and tells of them.
type journal struct {
	a     *actor
	birth *birth
}

// Commit stores a transition.
func (j *journal) Commit(c asl.Commit) error {
	if err := j.a.s.store.put(c, j.birth); err != nil {
		return err
	}
	j.birth = nil
	if f := j.a.s.cfg.OnChange; f != nil {
		f(j.a.change(c))
	}
	return nil
}

func (a *actor) change(c asl.Commit) Change {
	x := c.Execution
	ch := Change{ARN: x.ARN, Machine: x.Machine, Name: x.Name, Status: x.Status, Events: c.Events}
	if a.run != nil && x.Status == asl.Running {
		for _, st := range stateInfos(a.run) {
			ch.States = append(ch.States, st.Name)
		}
	}
	return ch
}

// launch registers the actor and starts its goroutine.
func (s *Service) launch(a *actor, e asl.Effects) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errShutdown
	}
	s.live[a.arn] = a
	s.actors.Add(1)
	go a.loop(e)
	return nil
}

func (a *actor) loop(e asl.Effects) {
	defer a.s.actors.Done()
	cause := asl.ErrTaskAborted
	defer func() { a.finish(cause) }()
	a.apply(e)
	for {
		effects, err := a.run.Step(a.s.cfg.Clock.Now())
		if err != nil {
			cause = errShutdown // nothing of it is over
			a.retryLater(err)
			return
		}
		a.apply(effects)
		if a.run.Execution().Status != asl.Running {
			return
		}
		if !a.await() {
			cause = errShutdown
			return
		}
	}
}

// storeRetry is how long an execution rests whose state could not be stored.
const storeRetry = 5 * time.Second

// retryLater goes on from the stored state when the store may work again.
func (a *actor) retryLater(err error) {
	a.s.cfg.Logger.Error("the execution's state could not be stored; it goes on from its last stored state", "execution", a.arn, "error", err)
	a.s.cfg.Clock.AfterFunc(a.s.cfg.Clock.Now().Add(storeRetry), func() {
		<-a.ended
		if err := a.s.revive(a.arn); err != nil {
			a.s.cfg.Logger.Error("the execution could not be resumed; it goes on at the next start", "execution", a.arn, "error", err)
		}
	})
}

// await blocks until there is something to do; it is false when the service closes.
func (a *actor) await() bool {
	a.stopTimer()
	if next := a.run.Next(); !next.IsZero() {
		a.stopTimer = a.s.cfg.Clock.AfterFunc(next, func() { a.post(func() {}) })
	}
	select {
	case f := <-a.inbox:
		f()
		return true
	case <-a.s.ctx.Done():
		return false
	}
}

// post hands a message to the actor; it is false when the actor is gone.
func (a *actor) post(f func()) bool {
	select {
	case a.inbox <- f:
		return true
	case <-a.ended:
		return false
	}
}

// finish lets go of everything; tasks that still run end by their context.
func (a *actor) finish(cause error) {
	a.stopTimer()
	for _, cancel := range a.tasks {
		cancel(cause)
	}
	a.s.mu.Lock()
	delete(a.s.live, a.arn)
	a.s.mu.Unlock()
	close(a.ended)
	a.workers.Wait()
}

// apply starts and cancels tasks after their transition was committed.
func (a *actor) apply(e asl.Effects) {
	for _, id := range e.Cancel {
		if cancel := a.tasks[id]; cancel != nil {
			cancel(asl.ErrTaskAborted)
			delete(a.tasks, id)
		}
	}
	for _, t := range e.Start {
		ctx, cancel := context.WithCancelCause(a.s.ctx)
		a.tasks[t.ID] = cancel
		a.workers.Add(1)
		go a.perform(ctx, t)
	}
}

// perform does one task. When the service closes, its outcome is left for the next start.
func (a *actor) perform(ctx context.Context, t asl.Task) {
	defer a.workers.Done()
	t = t.WithSubmitted(func(out []byte) {
		_, _ = a.deliver(asl.Signal{TaskID: t.ID, Kind: asl.SignalSubmitted, Output: out}) // a failed commit ends the actor
	})
	outcome := asl.Perform(ctx, t, a.s.tasks)
	if a.s.ctx.Err() == nil {
		_, _ = a.deliver(outcome)
	}
}

// errGone tells that an execution's actor ended before it took a message.
var errGone = errors.New("the execution is not driven right now")

// deliver passes a signal on and waits until it is committed. It tells whether the task was still wanted.
func (a *actor) deliver(sig asl.Signal) (wanted bool, err error) {
	done := make(chan struct{})
	posted := a.post(func() {
		defer close(done)
		wanted, err = a.run.Deliver(sig, a.s.cfg.Clock.Now())
		if sig.Kind == asl.SignalReturned || sig.Kind == asl.SignalFailed {
			a.release(sig.TaskID)
		}
	})
	if !posted {
		return false, errGone
	}
	<-done
	return wanted, err
}

// stop aborts the execution.
func (a *actor) stop(f *asl.Failure) (err error) {
	done := make(chan struct{})
	posted := a.post(func() {
		defer close(done)
		var e asl.Effects
		if e, err = a.run.Stop(*f, a.s.cfg.Clock.Now()); err == nil {
			a.apply(e)
		}
	})
	if !posted {
		return errGone
	}
	<-done
	return err
}

func (a *actor) release(taskID string) {
	if cancel := a.tasks[taskID]; cancel != nil {
		cancel(nil)
		delete(a.tasks, taskID)
	}
}

// stateInfos lists where a run is, outermost first.
func stateInfos(run *asl.Run) []StateInfo {
	var out []StateInfo
	for _, th := range run.Threads() {
		if th.Phase == asl.PhaseDone {
			continue
		}
		st := run.StateOf(th)
		if st == nil {
			continue
		}
		out = append(out, StateInfo{Thread: th.ID, Name: th.State, Type: st.Type, EnteredAt: th.EnteredAt, Attempt: th.Attempt, Waiting: waiting(th)})
	}
	return out
}

func waiting(th *asl.Thread) string {
	switch th.Phase {
	case asl.PhaseTask, asl.PhaseToken, asl.PhaseTimer, asl.PhaseRetry, asl.PhaseChildren:
		return string(th.Phase)
	}
	return ""
}

func jsonOf(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return raw
}
