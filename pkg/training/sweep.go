package training

import (
	"context"
	"fmt"
	"slices"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Sweep starts every run that is due and drives those whose start was interrupted. It is safe to call
// at any time and from several places at once; failures of one model do not keep back the others.
func (s *Service) Sweep(ctx context.Context) error {
	s.relaunch(ctx)
	triggers, err := table.All[Trigger](ctx, s.Table, table.Query{Index: table.GSI1, PK: "TRIGGERS"})
	if err != nil {
		return err
	}
	for _, t := range triggers {
		if err := s.fire(ctx, t.Model); err != nil && !quiet(err) {
			s.Logger.Error("trigger", "model", t.Model, "error", err)
		}
	}
	return nil
}

// quiet tells errors that only say "not now".
func quiet(err error) bool { return errs.Is(err, errs.Held) || errs.Is(err, errs.Precondition) }

func (s *Service) relaunch(ctx context.Context) {
	runs, _, err := s.Runs(ctx, RunFilter{Limit: 50})
	for _, r := range runs {
		if r.Status == Queued && r.Execution == "" {
			_, err = s.launch(ctx, r.ID)
		}
	}
	if err != nil {
		s.Logger.Error("relaunch", "error", err)
	}
}

func (s *Service) fire(ctx context.Context, model string) error {
	t, err := s.Trigger(ctx, model)
	if err != nil || !t.Enabled {
		return err
	}
	kind, why := t.due(s.Clock())
	if kind == "" {
		return nil
	}
	in := StartInput{Model: model, Kind: kind, Reason: why}
	if kind == BySchedule {
		if repeats, err := s.repeats(ctx, model); err != nil {
			return err
		} else if repeats {
			return s.slotUsed(ctx, t)
		}
		in.Key = fmt.Sprintf("schedule/%s/%d", model, t.NextRun.Unix()) // a kill between start and note starts nothing twice
	}
	_, err = s.Start(ctx, audit.System("trigger"), in)
	if kind == BySchedule {
		return s.afterSlot(ctx, t, err)
	}
	return err
}

// afterSlot notes the slot when it is done with. Another's run may have begun since the trigger was read: what is
// pending is read again.
func (s *Service) afterSlot(ctx context.Context, t Trigger, started error) error {
	if errs.Is(started, errs.Held) {
		var err error
		if t, err = s.Trigger(ctx, t.Model); err != nil || t.NextRun.IsZero() || t.NextRun.After(s.Clock()) {
			return err // the schedule was taken away, or another sweep noted the slot
		}
	}
	if t.served(started) {
		return s.slotUsed(ctx, t)
	}
	return started
}

// repeats tells whether a run would do over what the newest one did: the same data from the same champion,
// judged already. Its release may still wait for people, who take longer than a schedule.
func (s *Service) repeats(ctx context.Context, model string) (bool, error) {
	runs, _, err := s.Runs(ctx, RunFilter{Model: model, Limit: 1})
	if err != nil || len(runs) == 0 || runs[0].Status != Judged {
		return false, err
	}
	champion, err := s.Registry.Aliased(ctx, model, registry.Champion)
	if err != nil || champion.Number != runs[0].Parent {
		return false, err
	}
	m, err := s.Registry.Model(ctx, model)
	if err != nil {
		return false, err
	}
	latest, err := s.Datasets.Latest(ctx, m.Dataset)
	same := func(d registry.DatasetRef) bool { return d.Dataset == m.Dataset && d.Digest == latest.Digest }
	return err == nil && slices.ContainsFunc(runs[0].Datasets, same), err
}

// served tells whether a slot of the schedule is done with: its run began, there was nothing to learn, or the
// run in progress learns all there is. Rows that came after that run began keep the slot until it has ended.
func (t Trigger) served(err error) bool {
	return err == nil || errs.Is(err, errs.Precondition) || errs.Is(err, errs.Held) && t.PendingRows == 0
}

// slotUsed moves the schedule on beyond now, so that slots which passed while the platform stood still start
// one run and not one each.
func (s *Service) slotUsed(ctx context.Context, t Trigger) error {
	schedule, err := t.parse()
	if err != nil {
		return err
	}
	for next, ok := t.NextRun, true; ok && !next.After(s.Clock()); next, ok = schedule.Next(next) {
		t.Since = next
	}
	_, err = s.Log.Commit(ctx, audit.Change{Actor: audit.System("trigger"), Type: "ScheduleSlotUsed",
		Subject: audit.Subject{Type: "model", ID: t.Model}, Ops: []table.Op{saveTrigger(t)}})
	if errs.Is(err, errs.Conflict) {
		return nil // another sweep noted it, or the trigger was changed and counts from then
	}
	return err
}
