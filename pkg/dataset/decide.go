package dataset

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// waiting is an execution that waits for the decision on an ingestion.
type waiting struct {
	Token string `json:"token"`
}

// Decision is what a waiting execution is told.
type Decision struct {
	Status Status `json:"status"` // Publishing or Discarded
}

// AwaitDecision keeps the token of an execution that waits for a person. When the decision fell before,
// the execution is answered at once.
func (s *Service) AwaitDecision(ctx context.Context, id, token string) error {
	if token == "" {
		return errs.New(errs.Invalid, "no task token").At("/token")
	}
	op := table.Save(tokenKey(id, token), waiting{token}, 0, nil)
	op.If = table.Cond{}
	if err := s.Table.Write(ctx, "", op); err != nil {
		return fmt.Errorf("keep task token: %w", err)
	}
	ing, err := s.Ingestion(ctx, id)
	if err != nil || ing.Status == Quarantined {
		return err
	}
	return s.answer(ctx, id)
}

// PublishValid decides that the valid part of an ingestion in quarantine is published.
func (s *Service) PublishValid(ctx context.Context, by audit.Actor, id, reason string) (Ingestion, error) {
	ing, err := s.decide(ctx, by, "IngestionReleased", id, reason, func(i *Ingestion) error {
		if i.Counts.Accepted+i.Counts.Duplicates == 0 {
			return errs.New(errs.Precondition, "ingestion %s has no valid row", id).Mend("mend the file and send it again, or discard it")
		}
		now := s.Clock()
		i.Status = Publishing
		i.end(now, strings.TrimSpace("publish the valid part: "+reason))
		i.begin(StepPublish, now)
		return nil
	})
	if err != nil {
		return ing, err
	}
	return ing, s.answer(ctx, id)
}

// Discard decides that nothing of an ingestion in quarantine is published.
func (s *Service) Discard(ctx context.Context, by audit.Actor, id, reason string) (Ingestion, error) {
	ing, err := s.decide(ctx, by, "IngestionDiscarded", id, reason, func(i *Ingestion) error {
		i.Status, i.Ended = Discarded, s.Clock()
		i.end(i.Ended, strings.TrimSpace("discarded "+reason))
		return nil
	})
	if err != nil {
		return ing, err
	}
	return ing, s.answer(ctx, id)
}

// decide makes a decision on an ingestion in quarantine. The same decision again is no error.
func (s *Service) decide(ctx context.Context, by audit.Actor, event, id, reason string, fn func(*Ingestion) error) (Ingestion, error) {
	if _, err := s.Ingestion(ctx, id); err != nil {
		return Ingestion{}, err
	}
	return s.change(ctx, id, note{Actor: by, Type: event, Reason: reason}, func(i *Ingestion) error {
		if i.Status != Quarantined {
			return errs.New(errs.Conflict, "ingestion %s is %s", id, strings.ToLower(string(i.Status))).
				Mend("only one in quarantine waits for a decision")
		}
		return fn(i)
	})
}

// discard ends an ingestion that is not yet published.
func (s *Service) discard(ctx context.Context, by audit.Actor, id, reason string) (Ingestion, error) {
	ing, err := s.change(ctx, id, note{Actor: by, Type: "IngestionDiscarded", Reason: reason}, func(i *Ingestion) error {
		if i.Status.Final() {
			return errDone
		}
		i.Status, i.Ended = Discarded, s.Clock()
		i.end(i.Ended, reason)
		return nil
	})
	if errors.Is(err, errDone) {
		err = nil
	}
	return ing, err
}

// answer tells every execution that waits for a decided ingestion. Tokens go when they are answered, so
// that a crash in between answers again.
func (s *Service) answer(ctx context.Context, id string) error {
	ing, err := s.Ingestion(ctx, id)
	if err != nil || s.Workflow == nil || ing.Status == Quarantined {
		return err
	}
	page, err := s.Table.Query(ctx, table.Query{PK: ingestionKey(id).PK, Prefix: "TOKEN#", Consistency: table.Consistent})
	if err != nil {
		return fmt.Errorf("read task tokens: %w", err)
	}
	for _, it := range page.Items {
		w, err := table.Decode[waiting](it)
		if err != nil {
			return err
		}
		err = s.Workflow.Answer(ctx, w.Token, Decision{Status: ing.Status})
		if err != nil && !errs.Is(err, errs.NotFound) {
			return fmt.Errorf("answer execution: %w", err)
		}
		if err := s.Table.Write(ctx, "", table.Op{Kind: table.Delete, Item: table.Item{Key: it.Key}}); err != nil {
			return fmt.Errorf("forget task token: %w", err)
		}
	}
	return nil
}

// Fail ends an ingestion by a fault outside its file, as a state machine caught it.
func (s *Service) Fail(ctx context.Context, id, cause string) (Ingestion, error) {
	ing, err := s.change(ctx, id, note{Actor: system, Type: "IngestionFailed", Reason: cause}, func(i *Ingestion) error {
		if i.Status.Final() {
			return errDone
		}
		i.Status, i.Error, i.Ended = Failed, cause, s.Clock()
		if n := len(i.Steps); n > 0 && i.Steps[n-1].Ended.IsZero() {
			i.Steps[n-1].Failed = true
		}
		i.end(i.Ended, cause)
		return nil
	})
	if errors.Is(err, errDone) {
		err = nil
	}
	return ing, err
}

// Retry starts a failed ingestion over.
func (s *Service) Retry(ctx context.Context, by audit.Actor, id string) (Ingestion, error) {
	if _, err := s.Ingestion(ctx, id); err != nil {
		return Ingestion{}, err
	}
	ing, err := s.change(ctx, id, note{Actor: by, Type: "IngestionRetried"}, func(i *Ingestion) error {
		if i.Status != Failed {
			return errs.New(errs.Conflict, "ingestion %s is %s", id, strings.ToLower(string(i.Status))).Mend("only a failed one can be retried")
		}
		i.Status, i.Error, i.Execution, i.Ended = Received, "", "", time.Time{}
		i.Attempt++
		return nil
	}, open(id))
	if err != nil {
		return ing, err
	}
	return s.launch(ctx, id)
}

// Sweep drives on what a crash left behind: arrivals whose execution was never started, and decisions that
// no execution was told. It costs as much as there are open ingestions, at most a page of them.
func (s *Service) Sweep(ctx context.Context) error {
	page, err := s.Table.Query(ctx, table.Query{PK: openKey("").PK, Limit: 1000, Consistency: table.Consistent})
	if err != nil {
		return fmt.Errorf("list open ingestions: %w", err)
	}
	var all error
	for _, it := range page.Items {
		all = errors.Join(all, s.sweep(ctx, it))
	}
	return all
}

// sweep looks after one ingestion, and for the last time when it has ended.
func (s *Service) sweep(ctx context.Context, row table.Item) error {
	id := row.SK
	ing, err := s.launch(ctx, id)
	if err == nil && ing.Status != Received {
		err = s.answer(ctx, id)
	}
	if err != nil || !ing.Status.Final() {
		return err
	}
	err = s.Table.Write(ctx, "", table.Op{Kind: table.Delete, Item: table.Item{Key: row.Key}, If: table.Cond{Kind: table.RevEq, Val: row.Rev}})
	if err != nil && !errs.Is(err, errs.Conflict) { // else it was retried just now
		return fmt.Errorf("forget open ingestion: %w", err)
	}
	return nil
}
