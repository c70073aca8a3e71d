package asl

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"
)

// fail handles a state's error: try again, go where a catcher points, or give up.
func (r *Run) fail(th *Thread, st *State, f *Failure) {
	if f.name() == errRuntime {
		r.fatal(th, f)
		return
	}
	if r.retry(th, st, f) {
		return
	}
	before := th.LastEvent
	r.scopeFailed(th, st)
	if i, c := catcherFor(st, f); c != nil {
		r.caught(th, st, i, f, before)
		return
	}
	r.fatal(th, f)
}

func (r *Run) scopeFailed(th *Thread, st *State) {
	if st.Type == "Parallel" || st.Type == "Map" {
		r.emit(th, st.Type+"StateFailed", "", nil)
	}
}

// retry schedules another try if a retrier allows it.
func (r *Run) retry(th *Thread, st *State, f *Failure) bool {
	for i, re := range st.Retry {
		if !f.matches(re.ErrorEquals) {
			continue
		}
		if th.Retries == nil {
			th.Retries = make([]int, len(st.Retry))
		}
		if th.Retries[i] >= re.attempts() {
			return false
		}
		th.Retries[i]++
		th.Attempt++
		r.dropChildren(th)
		th.Phase, th.Wake = PhaseRetry, r.now.Add(re.delay(th.Retries[i], r.jitter(th)))
		r.touch(th)
		return true
	}
	return false
}

func (re Retrier) attempts() int { return deref2(re.MaxAttempts, 3) }

// delay before the n-th retry: interval × backoffⁿ⁻¹, capped, and with full jitter a random part of it.
func (re Retrier) delay(n int, random float64) time.Duration {
	s := deref2(re.IntervalSeconds, 1) * math.Pow(deref2(re.BackoffRate, 2), float64(n-1))
	if re.MaxDelaySeconds != nil {
		s = math.Min(s, *re.MaxDelaySeconds)
	}
	if re.JitterStrategy == "FULL" {
		s *= random
	}
	return time.Duration(math.Min(s, maxSeconds) * float64(time.Second))
}

// jitter is a number in [0,1) that differs between executions and attempts, but not between replays.
func (r *Run) jitter(th *Thread) float64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\n%s\n%d\n%d", r.x.ARN, th.ID, th.EnteredEvent, th.Attempt)
	x := h.Sum64() // FNV's high bits mix badly: finish as splitmix64 does
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

func deref2[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func catcherFor(st *State, f *Failure) (int, *Catcher) {
	for i := range st.Catch {
		if f.matches(st.Catch[i].ErrorEquals) {
			return i, &st.Catch[i]
		}
	}
	return 0, nil
}

// matches tells whether an ErrorEquals list names the failure, wildcards included. States.ALL does not
// match States.Runtime; States.TaskFailed matches neither that nor timeouts nor a result that is too large.
func (f *Failure) matches(names []string) bool {
	name := f.name()
	terminal := name == errRuntime
	for _, want := range names {
		switch {
		case want == name && f.Name != nil,
			want == errAll && !terminal,
			want == errTaskFail && !terminal && name != errTimeout && name != errLimit,
			want == errHeartbeat && f.Heartbeat:
			return true
		}
	}
	return false
}

// caught goes on at a catcher's target with the error output. A failure of the catcher's own
// expressions follows the event before the state's failure, and ends the state for good.
func (r *Run) caught(th *Thread, st *State, i int, f *Failure, before int64) {
	c := st.Catch[i]
	r.dropChildren(th)
	e := f.output()
	end := ending{assign: c.Assign, output: c.Output, value: e, at: fmt.Sprintf("Catch[%d]/", i)}
	entered := th.EnteredPrev
	th.EnteredPrev = before
	vars, out, failed := r.results(th, st, end, states{errorOutput: e})
	th.EnteredPrev = entered
	if failed != nil {
		r.scopeFailed(th, st)
		r.fatal(th, failed)
		return
	}
	r.exit(th, st, vars, out, c.Next)
}

// output is $states.errorOutput.
func (f *Failure) output() json.RawMessage {
	cause := marshal(f.Cause)
	if f.Cause == nil && f.Name != nil {
		cause = json.RawMessage(`""`)
	}
	return object(member{"Error", marshal(f.Name)}, member{"Cause", cause})
}

// fatal ends a thread with a failure that nothing in it handles. States.Runtime ends the execution at
// once, from wherever it comes.
func (r *Run) fatal(th *Thread, f *Failure) {
	th.Phase, th.Failure = PhaseFailed, f
	r.touch(th)
	if th.ID != "" && f.name() != errRuntime {
		r.childFailed(th, f)
		return
	}
	if r.full {
		return // that is the execution's failure
	}
	r.end(Failed, "ExecutionFailed", "executionFailedEventDetails", f, th.LastEvent)
}

// children gives a thread's child threads by index.
func (r *Run) children(th *Thread) []*Thread {
	var out []*Thread
	for _, c := range r.threads {
		if c.ID != "" && c.Parent == th.ID {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *Thread) int { return a.Index - b.Index })
	return out
}

// dropChildren ends all threads below one, whatever they do.
func (r *Run) dropChildren(th *Thread) {
	if th.Children == 0 {
		return
	}
	for _, c := range r.children(th) {
		r.dropChildren(c)
		r.cancelTask(c)
		r.drop(c)
	}
	th.Children, th.Started = 0, 0
}
