package training_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/training"
)

func (w *world) trigger(t training.Trigger) training.Trigger {
	t.Model, t.Enabled = "support", true
	t, err := w.SetTrigger(w.ctx, ana, t)
	require.NoError(w.t, err)
	return t
}

// sweepAt sweeps after some time and gives the number of runs that were ever started.
func (w *world) sweepAt(later time.Duration) int {
	w.now = w.now.Add(later)
	require.NoError(w.t, w.Sweep(w.ctx))
	return len(w.started)
}

func TestTrigger_DataThresholdWithDebounceAndCooldown(t *testing.T) {
	w := newWorld(t)
	w.trigger(training.Trigger{MinRows: 8, Debounce: 60, Cooldown: 3600})
	w.publish(5)
	require.Equal(t, 0, w.sweepAt(2*time.Minute), "below the threshold")
	w.publish(5)
	require.Equal(t, 0, w.sweepAt(30*time.Second), "not quiet yet")
	require.Equal(t, 1, w.sweepAt(31*time.Second))

	runs, _, err := w.Runs(w.ctx, training.RunFilter{Model: "support"})
	require.NoError(t, err)
	require.Equal(t, training.ByData, runs[0].Trigger)
	require.Equal(t, "10 new rows (threshold 8)", runs[0].Reason)
	require.NoError(t, w.Fail(w.ctx, runs[0].ID, "x"))
	require.Equal(t, 1, w.sweepAt(2*time.Minute), "the same rows do not fire again")
	w.publish(20)
	require.Equal(t, 1, w.sweepAt(2*time.Minute), "cooling down")
	require.Equal(t, 2, w.sweepAt(time.Hour))
}

func TestTrigger_WaitsForTheRunInProgress(t *testing.T) {
	w := newWorld(t)
	w.trigger(training.Trigger{MinRows: 1})
	w.publish(5)
	require.Equal(t, 1, w.sweepAt(time.Second))
	w.publish(5)
	require.Equal(t, 1, w.sweepAt(time.Second))
	runs, _, err := w.Runs(w.ctx, training.RunFilter{})
	require.NoError(t, err)
	require.NoError(t, w.Fail(w.ctx, runs[0].ID, "x"))
	require.Equal(t, 2, w.sweepAt(time.Second))
}

func TestTrigger_ScheduleFiresOncePerSlot(t *testing.T) {
	w := newWorld(t)
	tr := w.trigger(training.Trigger{Schedule: "rate(1 hour)"})
	require.Equal(t, w.now.Add(time.Hour), tr.NextRun)
	w.publish(5)
	require.Equal(t, 0, w.sweepAt(59*time.Minute))
	require.Equal(t, 1, w.sweepAt(time.Minute))
	require.Equal(t, 1, w.sweepAt(time.Second))
	tr, err := w.Trigger(w.ctx, "support")
	require.NoError(t, err)
	require.True(t, tr.NextRun.After(w.now))
}

func TestTrigger_SlotsMissedWhileThePlatformStoodStartOneRun(t *testing.T) {
	w := newWorld(t)
	w.trigger(training.Trigger{Schedule: "rate(1 hour)"})
	w.publish(5)
	require.Equal(t, 1, w.sweepAt(10*time.Hour+time.Minute))
	w.failNewest()
	require.Equal(t, 1, w.sweepAt(time.Second), "nine slots passed, one run was due")
	tr, err := w.Trigger(w.ctx, "support")
	require.NoError(t, err)
	require.Equal(t, 11*time.Hour, tr.NextRun.Sub(tr.LastRun.Add(-10*time.Hour-time.Minute)), "the schedule keeps its beat")
}

func TestTrigger_ASlotDuringARunWaitsForItWhenThereIsMoreToLearn(t *testing.T) {
	w := newWorld(t)
	w.trigger(training.Trigger{Schedule: "rate(1 hour)"})
	w.publish(5)
	w.start()
	require.Equal(t, 1, w.sweepAt(time.Hour), "the run in progress learns all there is")
	w.failNewest()
	require.Equal(t, 1, w.sweepAt(time.Second), "and so the slot is used")
	w.start()
	w.publish(5)
	require.Equal(t, 2, w.sweepAt(time.Hour))
	w.failNewest()
	require.Equal(t, 3, w.sweepAt(time.Second), "what came after that run began is not forgotten")
}

func TestTrigger_AScheduleDoesNotDoOverWhatWaitsForADecision(t *testing.T) {
	w := newWorld(t)
	w.trigger(training.Trigger{Schedule: "rate(1 hour)"})
	w.publish(5)
	run := w.start()
	require.NoError(t, w.Conclude(w.ctx, run.ID, "rel_1", ""))
	require.Equal(t, 1, w.sweepAt(time.Hour), "the same data from the same champion")
	w.publish(5)
	require.Equal(t, 2, w.sweepAt(time.Hour))
}

func TestTrigger_AKillBetweenStartAndNoteStartsNothingTwice(t *testing.T) {
	w := newWorld(t)
	w.trigger(training.Trigger{Schedule: "rate(1 hour)"})
	w.publish(5)
	w.now = w.now.Add(time.Hour)
	in := training.StartInput{Model: "support", Kind: training.BySchedule, Key: fmt.Sprintf("schedule/support/%d", w.now.Unix())}
	_, err := w.Service.Start(w.ctx, ana, in) // and then the platform is killed
	require.NoError(t, err)
	w.failNewest()
	require.Equal(t, 1, w.sweepAt(time.Second))
}

// failNewest ends the newest run.
func (w *world) failNewest() {
	runs, _, err := w.Runs(w.ctx, training.RunFilter{Model: "support", Limit: 1})
	require.NoError(w.t, err)
	require.NoError(w.t, w.Fail(w.ctx, runs[0].ID, "x"))
}

// Data, schedule and people ask at once and again and again: one run at a time, none lost, none twice.
func TestTrigger_AllKindsAtOnceStartOneRunAtATime(t *testing.T) {
	w := newWorld(t)
	w.trigger(training.Trigger{MinRows: 1, Schedule: "rate(1 minute)"})
	for round := range 5 {
		w.publish(5)
		w.now = w.now.Add(2 * time.Minute)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { _ = w.Sweep(w.ctx) })
			all.Go(func() {
				_, _ = w.Service.Start(w.ctx, ana, training.StartInput{Model: "support", Kind: training.ByHand})
			})
		}
		all.Wait()
		runs, _, err := w.Runs(w.ctx, training.RunFilter{Model: "support"})
		require.NoError(t, err)
		require.Len(t, runs, round+1, "one run for each arrival")
		require.Equal(t, len(w.versions), runs[0].Datasets[0].Number, "which learns all there is")
		require.Len(t, w.started, round+1)
		w.failNewest()
		require.Equal(t, round+1, w.sweepAt(time.Second), "the same rows do not fire again")
	}
}

func TestTrigger_BadOnesAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, bad := range []training.Trigger{{Schedule: "sometimes"}, {MinRows: -1}, {Schedule: "rate(1 day)", Timezone: "Mars/Base"}} {
		bad.Model = "support"
		_, err := w.SetTrigger(w.ctx, ana, bad)
		require.True(t, errs.Is(err, errs.Invalid), err)
	}
	_, err := w.SetTrigger(w.ctx, ana, training.Trigger{Model: "nobody"})
	require.True(t, errs.Is(err, errs.NotFound), err)
	w.trigger(training.Trigger{MinRows: 1})
	_, err = w.SetTrigger(w.ctx, ana, training.Trigger{Model: "support", Rev: 7})
	require.True(t, errs.Is(err, errs.Precondition), err)
}
