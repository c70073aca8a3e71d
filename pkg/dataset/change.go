package dataset

import (
	"context"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Filter selects ingestions; zero values select all.
type Filter struct {
	Dataset string
	Limit   int
	Cursor  string
}

// Ingestions lists ingestions, newest first, and gives the cursor to the next page.
func (s *Service) Ingestions(ctx context.Context, f Filter) ([]Ingestion, string, error) {
	q := table.Query{Index: table.GSI1, PK: "INGESTIONS", Descending: true, Limit: f.Limit, Cursor: f.Cursor}
	if f.Dataset != "" {
		q.Index, q.PK = table.GSI2, "INGESTIONS#"+f.Dataset
	}
	return table.List[Ingestion](ctx, s.Table, q)
}

// Ingestion gives one ingestion; while it is checked, with its progress.
func (s *Service) Ingestion(ctx context.Context, id string) (Ingestion, error) {
	ing, err := table.Load[Ingestion](ctx, s.Table, ingestionKey(id))
	if errs.Is(err, errs.NotFound) {
		return ing, errs.New(errs.NotFound, "no ingestion %q", id)
	}
	if err != nil || ing.Status != Checking {
		return ing, err
	}
	p, err := table.Load[Progress](ctx, s.Table, progressKey(id))
	if err == nil {
		ing.Progress = &p
	}
	if errs.Is(err, errs.NotFound) {
		err = nil
	}
	return ing, err
}

// note is what a change of an ingestion says of itself.
type note struct {
	Actor  audit.Actor
	Type   string
	Reason string
	Data   any
}

// changeTries is how often a change is repeated on an ingestion that changes meanwhile.
const changeTries = 8

// change applies fn to the newest state and commits it, with more operations. fn's error stops it; it must
// give the same outcome when it is called again on a newer state.
func (s *Service) change(ctx context.Context, id string, n note, fn func(*Ingestion) error, more ...table.Op) (Ingestion, error) {
	for range changeTries {
		ing, err := table.Load[Ingestion](ctx, s.Table, ingestionKey(id))
		if err != nil {
			return ing, fmt.Errorf("load ingestion %s: %w", id, err)
		}
		before, rev := audit.JSON(ing), ing.Rev
		if err := fn(&ing); err != nil {
			return ing, err
		}
		ing.Progress, ing.Rev = nil, rev+1
		_, err = s.Log.Commit(ctx, s.noted(n, ing, before, append([]table.Op{saveIngestion(ing, rev)}, more...)...))
		if !errs.Is(err, errs.Conflict) {
			return ing, err
		}
	}
	return Ingestion{}, errs.New(errs.Conflict, "ingestion %s keeps changing", id).Mend("try again")
}

func (s *Service) noted(n note, ing Ingestion, before []byte, ops ...table.Op) audit.Change {
	if n.Data == nil {
		n.Data = map[string]any{"ingestion": ing.ID, "name": ing.Name, "dataset": ing.Dataset, "status": ing.Status, "counts": ing.Counts}
	}
	return audit.Change{
		Actor: n.Actor, Type: n.Type, Subject: audit.Subject{Type: "ingestion", ID: ing.ID}, Reason: n.Reason, Data: n.Data,
		Before: before, After: audit.JSON(ing), Ops: ops,
	}
}
