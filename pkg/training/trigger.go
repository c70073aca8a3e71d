package training

import (
	"context"
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/rules"
	"github.com/perennial-llm/perennial/pkg/table"
)

func triggerKey(model string) table.Key { return table.Key{PK: "MODEL#" + model, SK: "TRIGGER"} }

// Trigger gives a model's trigger with its present state; a model without one has it disabled.
func (s *Service) Trigger(ctx context.Context, model string) (Trigger, error) {
	t, err := table.Load[Trigger](ctx, s.Table, triggerKey(model))
	if errs.Is(err, errs.NotFound) {
		t, err = Trigger{Model: model}, nil
	}
	if err != nil {
		return t, err
	}
	return s.observe(ctx, t)
}

// observe fills in what the trigger waits for. Rows are derived, never counted: those of the newest
// dataset version less those that the last run saw.
func (s *Service) observe(ctx context.Context, t Trigger) (Trigger, error) {
	model, err := s.Registry.Model(ctx, t.Model)
	if err != nil {
		return t, err
	}
	latest, err := s.Datasets.Latest(ctx, model.Dataset)
	if errs.Is(err, errs.NotFound) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	rows, last, err := s.lastSeen(ctx, t.Model)
	t.PendingRows, t.LastArrival, t.LastRun = max(0, latest.Rows-rows), latest.Created, last
	t.NextRun = nextRun(t)
	return t, err
}

// lastSeen gives the rows that the newest run, or else the champion, has seen, and when that run began.
func (s *Service) lastSeen(ctx context.Context, model string) (rows int, at time.Time, err error) {
	runs, _, err := s.Runs(ctx, RunFilter{Model: model, Limit: 1})
	if err != nil {
		return 0, at, err
	}
	var refs = []int{}
	if len(runs) > 0 {
		at = runs[0].Created
		for _, d := range runs[0].Datasets {
			refs = append(refs, d.Number)
		}
	} else if refs, err = s.championData(ctx, model); err != nil {
		return 0, at, err
	}
	m, err := s.Registry.Model(ctx, model)
	for _, n := range refs {
		v, err := s.Datasets.Version(ctx, m.Dataset, n)
		if err != nil {
			return 0, at, err
		}
		rows = max(rows, v.Rows)
	}
	return rows, at, err
}

func (s *Service) championData(ctx context.Context, model string) ([]int, error) {
	champion, err := s.Registry.Version(ctx, model, 0)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	out := []int{}
	for _, d := range champion.Datasets {
		out = append(out, d.Number)
	}
	return out, err
}

func nextRun(t Trigger) time.Time {
	if t.Schedule == "" || !t.Enabled {
		return time.Time{}
	}
	schedule, err := t.parse()
	if err != nil {
		return time.Time{}
	}
	next, _ := schedule.Next(t.Since)
	return next
}

// parse reads the schedule in its time zone; an empty zone is UTC.
func (t Trigger) parse() (rules.Schedule, error) {
	zone, err := time.LoadLocation(t.Timezone)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not known", t.Timezone)
	}
	return rules.ParseSchedule(t.Schedule, zone)
}

// SetTrigger changes a model's trigger at revision t.Rev.
func (s *Service) SetTrigger(ctx context.Context, by audit.Actor, t Trigger) (Trigger, error) {
	if err := t.validate(); err != nil {
		return t, err
	}
	if _, err := s.Registry.Model(ctx, t.Model); err != nil {
		return t, err
	}
	t.Since, t.PendingRows, t.LastArrival, t.LastRun, t.NextRun = s.Clock(), 0, time.Time{}, time.Time{}, time.Time{}
	_, err := s.Log.Commit(ctx, audit.Change{Actor: by, Type: "TriggerChanged", Subject: audit.Subject{Type: "model", ID: t.Model},
		Data: t, Ops: []table.Op{saveTrigger(t)}})
	if errs.Is(err, errs.Conflict) {
		return t, errs.New(errs.Precondition, "the trigger of %s changed meanwhile", t.Model).Mend("load it again and repeat the change")
	}
	if err != nil {
		return t, err
	}
	return s.Trigger(ctx, t.Model)
}

func saveTrigger(t Trigger) table.Op {
	return table.Save(triggerKey(t.Model), t, t.Rev, map[table.Index]table.Key{table.GSI1: {PK: "TRIGGERS", SK: t.Model}})
}

func (t Trigger) validate() error {
	if t.MinRows < 0 || t.Debounce < 0 || t.Cooldown < 0 {
		return errs.New(errs.Invalid, "minRows, debounce and cooldown cannot be negative")
	}
	if t.Schedule == "" {
		return nil
	}
	if _, err := t.parse(); err != nil {
		return errs.New(errs.Invalid, "schedule: %w", err).At("/schedule").Mend("use rate(1 day) or cron(0 3 * * ? *)")
	}
	return nil
}
