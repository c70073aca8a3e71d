package asl

import "time"

// Next tells when Step has to be called again at the latest; zero means never.
func (r *Run) Next() time.Time {
	if r.x.Status != Running {
		return time.Time{}
	}
	if len(r.ready) > 0 {
		return r.now
	}
	next := r.x.Deadline
	for _, th := range r.threads {
		next = earliest(next, th.due())
	}
	return next
}

// due is the earliest moment at which the thread's wait ends by itself.
func (th *Thread) due() time.Time {
	switch th.Phase {
	case PhaseTimer, PhaseRetry:
		return th.Wake
	case PhaseTask, PhaseToken:
		return earliest(th.Timeout, th.Heartbeat)
	}
	return time.Time{}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// expire handles everything that is due, earliest first.
func (r *Run) expire() error {
	if d := r.x.Deadline; !d.IsZero() && !d.After(r.now) && r.x.Status == Running {
		r.end(TimedOut, "ExecutionTimedOut", "executionTimedOutEventDetails", &Failure{Name: ptr(errTimeout)}, 0)
		return r.commit()
	}
	for r.x.Status == Running {
		th := r.mostOverdue()
		if th == nil {
			return nil
		}
		r.expireThread(th)
		if err := r.commit(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) mostOverdue() *Thread {
	var first *Thread
	for _, th := range r.threads {
		d := th.due()
		if d.IsZero() || d.After(r.now) {
			continue
		}
		if first == nil || d.Before(first.due()) || d.Equal(first.due()) && th.EnteredEvent < first.EnteredEvent {
			first = th
		}
	}
	return first
}

func (r *Run) expireThread(th *Thread) {
	switch th.Phase {
	case PhaseTimer:
		r.leave(th, r.StateOf(th), outcome{})
	case PhaseRetry:
		th.Phase, th.Wake = PhaseReady, time.Time{}
		r.touch(th)
		r.ready = append(r.ready, th.ID)
	default:
		r.taskTimedOut(th)
	}
}
