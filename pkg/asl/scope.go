package asl

import (
	"encoding/json"
	"fmt"
	"math"
)

func (r *Run) workParallel(th *Thread, st *State) {
	input := th.Input
	if st.Arguments != nil {
		var f *Failure
		if input, f = r.arguments(th, st); f != nil {
			r.fail(th, st, f)
			return
		}
	}
	started := r.emit(th, "ParallelStateStarted", "", nil)
	th.Phase, th.Children, th.Started = PhaseChildren, len(st.Branches), len(st.Branches)
	for i, b := range st.Branches {
		r.spawn(th, st, i, b.StartAt, input, started)
	}
}

// spawn starts a child thread whose first event follows the given one.
func (r *Run) spawn(parent *Thread, st *State, index int, startAt string, input json.RawMessage, after int64) *Thread {
	prefix := parent.ID
	if prefix != "" {
		prefix += "/"
	}
	c := &Thread{
		ID: fmt.Sprintf("%s%s/%d", prefix, st.Name, index), Parent: parent.ID, Index: index,
		State: startAt, Phase: PhaseEnter, Input: input, LastEvent: after, RedriveSeq: parent.RedriveSeq,
	}
	r.threads[c.ID] = c
	r.touch(c)
	r.ready = append(r.ready, c.ID)
	return c
}

func (r *Run) workMap(th *Thread, st *State) {
	items, f := r.mapItems(th, st)
	if f == nil {
		f = r.mapLimits(th, st, len(items))
	}
	if f != nil {
		r.fail(th, st, f)
		return
	}
	th.Phase, th.Items, th.Children, th.Started = PhaseChildren, array(items), len(items), 0
	started := r.emit(th, "MapStateStarted", "mapStateStartedEventDetails", map[string]any{"length": len(items)})
	if len(items) == 0 {
		r.mapDone(th, st, nil, started)
		return
	}
	r.startItems(th, st, started)
}

// mapItems evaluates Items, ItemSelector and ItemBatcher.
func (r *Run) mapItems(th *Thread, st *State) ([]json.RawMessage, *Failure) {
	raw, f := r.itemArray(th, st)
	if f != nil {
		return nil, f
	}
	var items []json.RawMessage
	_ = json.Unmarshal(raw, &items)
	for i, v := range items {
		if st.ItemSelector == nil {
			break
		}
		if items[i], f = r.render(th, st, st.ItemSelector, "ItemSelector", states{item: &mapItem{i, v}}); f != nil {
			return nil, f
		}
	}
	items, f = r.batches(th, st, items)
	for i := 0; f == nil && i < len(items); i++ {
		f = tooLargeInput(st, "Items", items[i])
	}
	return items, f
}

func (r *Run) itemArray(th *Thread, st *State) (json.RawMessage, *Failure) {
	if st.Items != nil {
		return r.typed(th, st, st.Items, "Items", "array")
	}
	if kindOf(th.Input) != "array" {
		return nil, r.evaluationFailed(th, st, "", "Map state input must be an array but was: "+string(th.Input))
	}
	return th.Input, nil
}

// mapLimits evaluates concurrency and tolerance.
func (r *Run) mapLimits(th *Thread, st *State, n int) *Failure {
	width, tolerated := int64(maxWidth), 0.0
	var f *Failure
	if st.MaxConcurrency != nil {
		if width, f = r.integer(th, st, st.MaxConcurrency, "MaxConcurrency", 0, math.MaxInt32); f != nil {
			return f
		}
	}
	if st.TolerateCount != nil {
		count, f := r.integer(th, st, st.TolerateCount, "ToleratedFailureCount", 0, math.MaxInt32)
		if f != nil {
			return f
		}
		tolerated = float64(count)
	}
	if st.ToleratePct != nil {
		pct, f := r.number(th, st, st.ToleratePct, "ToleratedFailurePercentage", 0, 100)
		if f != nil {
			return f
		}
		tolerated = math.Max(tolerated, math.Floor(pct*float64(n)/100))
	}
	if width == 0 || width > maxWidth {
		width = maxWidth
	}
	th.Width, th.Tolerated = int(width), int(tolerated)
	return nil
}

// maxWidth is how many items of an inline Map AWS works on at once; more are not honored.
const maxWidth = 40

// startItems starts as many items as the concurrency allows.
func (r *Run) startItems(th *Thread, st *State, after int64) {
	live := 0
	for _, c := range r.children(th) {
		if c.Phase != PhaseDone && c.Phase != PhaseFailed {
			live++
		}
	}
	var items []json.RawMessage
	for ; th.Started < th.Children && live < th.Width; live++ {
		if items == nil {
			_ = json.Unmarshal(th.Items, &items)
		}
		i := th.Started
		th.Started++
		began := r.emitAfter(after, nil, "MapIterationStarted", "mapIterationStartedEventDetails", iteration(st, i))
		c := r.spawn(th, st, i, st.ItemProcessor.StartAt, items[i], began)
		c.Item = items[i]
	}
	r.touch(th)
}

func iteration(st *State, index int) map[string]any {
	return map[string]any{"name": st.Name, "index": index}
}

// childDone is called when a branch or item ended well.
func (r *Run) childDone(c *Thread) {
	parent := r.threads[c.Parent]
	st := r.StateOf(parent)
	if st.Type == "Parallel" {
		r.parallelProgress(parent, st, c.LastEvent)
		return
	}
	last := c.LastEvent
	ended := r.emitAfter(last, c, "MapIterationSucceeded", "mapIterationSucceededEventDetails", iteration(st, c.Index))
	r.mapProgress(parent, st, last, ended)
}

// parallelProgress ends the state when the last branch ended.
func (r *Run) parallelProgress(th *Thread, st *State, last int64) {
	var results []json.RawMessage
	for _, c := range r.children(th) {
		if c.Phase != PhaseDone {
			return
		}
		results = append(results, c.Output)
	}
	r.emitAfter(last, nil, "ParallelStateSucceeded", "", nil)
	th.LastEvent = last
	r.dropChildren(th)
	r.leave(th, st, outcome{result: array(results)})
}

// mapProgress starts further items or ends the state.
func (r *Run) mapProgress(th *Thread, st *State, last, ended int64) {
	r.startItems(th, st, last)
	results := make([]json.RawMessage, 0, th.Children)
	for _, c := range r.children(th) {
		if c.Phase != PhaseDone && c.Phase != PhaseFailed {
			return
		}
		if c.Phase == PhaseDone {
			results = append(results, c.Output)
		}
	}
	r.mapDone(th, st, results, ended)
}

func (r *Run) mapDone(th *Thread, st *State, results []json.RawMessage, last int64) {
	r.emitAfter(last, nil, "MapStateSucceeded", "", nil)
	th.LastEvent = last
	r.dropChildren(th)
	r.leave(th, st, outcome{result: array(results)})
}

// childFailed is called when a branch or item failed and nothing in it caught the error.
func (r *Run) childFailed(c *Thread, f *Failure) {
	parent := r.threads[c.Parent]
	st := r.StateOf(parent)
	last := c.LastEvent
	if st.Type == "Map" {
		ended := r.emitAfter(last, c, "MapIterationFailed", "mapIterationFailedEventDetails", iteration(st, c.Index))
		if r.failures(parent) <= parent.Tolerated {
			r.mapProgress(parent, st, last, ended)
			return
		}
		f = r.thresholdFailure(parent, f)
	}
	r.abortedEvent(c, last)
	for _, sibling := range r.children(parent) {
		r.abort(sibling, st, last)
	}
	parent.LastEvent = last
	r.fail(parent, st, f)
}

func (r *Run) failures(th *Thread) int {
	n := 0
	for _, c := range r.children(th) {
		if c.Phase == PhaseFailed {
			n++
		}
	}
	return n
}

// thresholdFailure is what a Map with a tolerance fails with; without one it is the item's own error.
func (r *Run) thresholdFailure(th *Thread, f *Failure) *Failure {
	if th.Tolerated == 0 {
		return f
	}
	return Fail(errThreshold, "The specified tolerated failure threshold was exceeded")
}

// abort ends a sibling of a failed thread; its state stays for a redrive.
func (r *Run) abort(th *Thread, st *State, last int64) {
	if th.Phase == PhaseDone || th.Phase == PhaseFailed {
		return
	}
	for _, c := range r.children(th) {
		r.abort(c, r.StateOf(th), last)
	}
	if st.Type == "Map" {
		r.emitAfter(last, nil, "MapIterationAborted", "mapIterationAbortedEventDetails", iteration(st, th.Index))
	}
	r.abortedEvent(th, last)
	r.cancelTask(th)
	if th.Phase != PhaseEnter { // a redrive enters what was never entered
		th.Phase = PhaseFailed
	}
	r.touch(th)
}

// abortedEvent records that a state that waits (and could be left) was given up.
func (r *Run) abortedEvent(th *Thread, last int64) {
	st := r.StateOf(th)
	switch st.Type {
	case "Task", "Wait", "Parallel", "Map":
		if th.EnteredEvent > 0 && th.Phase != PhaseEnter {
			r.emitAfter(last, nil, st.Type+"StateAborted", "", nil)
		}
	}
}
