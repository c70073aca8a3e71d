package asl

import (
	"errors"
	"time"
)

// ErrNotRedrivable tells that only a failed, aborted or timed out execution can be redriven, within 14
// days of its end and while its history has room.
var ErrNotRedrivable = errors.New("execution is not redrivable")

// Redrive runs an execution that ended without success again from where it ended: branches and items
// that succeeded keep their results, everything else starts its state anew with the same input.
// Retry counts start over; tasks get new ids. As on AWS, no state is entered a second time in the history.
func Redrive(m *Machine, env Env, x Execution, threads []*Thread, now time.Time) (*Run, error) {
	if !redrivable(x, now) {
		return nil, ErrNotRedrivable
	}
	r, _ := Resume(m, env, x, threads)
	r.now = now
	r.x.Status, r.x.Failure, r.x.StoppedAt = Running, nil, time.Time{}
	r.x.RedriveCount++
	r.x.RedrivenAt = now
	if m.TimeoutSeconds > 0 {
		r.x.Deadline = now.Add(time.Duration(m.TimeoutSeconds) * time.Second)
	}
	r.emitAfter(r.x.LastEvent, nil, "ExecutionRedriven", "executionRedrivenEventDetails", map[string]any{"redriveCount": r.x.RedriveCount})
	r.revive(r.threads[""])
	return r, r.commit()
}

// redrivableFor is AWS's period after the end of an execution.
const redrivableFor = 14 * 24 * time.Hour

func redrivable(x Execution, now time.Time) bool {
	ended := x.Status != Running && x.Status != Succeeded
	return ended && now.Sub(x.StoppedAt) <= redrivableFor && x.LastEvent < maxEvents-1
}

// revive makes a thread and those below it ready to work on their states again.
func (r *Run) revive(th *Thread) {
	if th.Phase == PhaseDone {
		return
	}
	th.RedriveSeq++
	th.Failure, th.Retries, th.Attempt = nil, nil, 0
	r.touch(th)
	if th.Children > 0 {
		th.Phase = PhaseChildren
		for _, c := range r.children(th) {
			r.revive(c)
		}
		return
	}
	if th.Phase != PhaseEnter {
		th.Phase, th.LastEvent = PhaseReady, th.EnteredEvent
	}
	if r.StateOf(th).Type == "Fail" {
		th.LastEvent = r.x.LastEvent
	}
	r.clear(th)
	r.ready = append(r.ready, th.ID)
}
