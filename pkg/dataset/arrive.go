package dataset

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/table"
)

// arrival is the row that ties an object version to its one ingestion.
type arrival struct {
	Ingestion string `json:"ingestion"`
}

// Arrive makes the ingestion of an object that was put below incoming/<dataset>/ and starts it. Telling
// of the same object version again gives the same ingestion. An empty version is looked up in the store.
func (s *Service) Arrive(ctx context.Context, by audit.Actor, dataset, key string, size int64, version string) (Ingestion, error) {
	return s.arrive(ctx, by, dataset, Object{Key: key, Version: version, Size: size}, "")
}

// Resubmit makes the ingestion of a mended file for one that waits in quarantine, which it replaces, or
// for one of which only the valid part was published.
func (s *Service) Resubmit(ctx context.Context, by audit.Actor, id, key string, size int64, version string) (Ingestion, error) {
	old, err := s.Ingestion(ctx, id)
	if err != nil {
		return old, err
	}
	if old.Status != Quarantined && !old.Status.Final() {
		return old, errs.New(errs.Conflict, "ingestion %s is %s", id, strings.ToLower(string(old.Status))).
			Mend("wait until it is checked")
	}
	next, err := s.arrive(ctx, by, old.Dataset, Object{Key: key, Version: version, Size: size}, id)
	if err != nil || next.ID == id {
		return next, err
	}
	return next, s.replace(ctx, by, id, next.ID)
}

// replace ends the old ingestion of a resubmission.
func (s *Service) replace(ctx context.Context, by audit.Actor, id, next string) error {
	_, err := s.change(ctx, id, note{Actor: by, Type: "IngestionResubmitted", Data: map[string]string{"ingestion": id, "as": next}},
		func(i *Ingestion) error {
			i.ResubmittedAs = next
			if i.Status == Quarantined {
				i.Status, i.Ended = Discarded, s.Clock()
				i.end(i.Ended, "mended and sent again as "+next)
			}
			return nil
		})
	if err != nil {
		return err
	}
	return s.answer(ctx, id)
}

func (s *Service) arrive(ctx context.Context, by audit.Actor, dataset string, o Object, resubmits string) (Ingestion, error) {
	if _, err := s.Dataset(ctx, dataset); err != nil {
		return Ingestion{}, err
	}
	rest, ok := strings.CutPrefix(o.Key, IncomingKey(dataset, ""))
	if !ok || rest == "" || strings.HasSuffix(rest, "/") {
		return Ingestion{}, errs.New(errs.Invalid, "object %q is no arrival of dataset %s", o.Key, dataset).
			At("/key").Mend("put files below %s", IncomingKey(dataset, ""))
	}
	source, err := s.sourceOf(ctx, dataset, rest)
	if err != nil {
		return Ingestion{}, err
	}
	if o, err = s.pin(ctx, o); err != nil {
		return Ingestion{}, err
	}
	return s.receive(ctx, by, s.newIngestion(by, dataset, source, o, resubmits))
}

// sourceOf finds the source that a key's first folder names; a paused one refuses.
func (s *Service) sourceOf(ctx context.Context, dataset, rest string) (string, error) {
	folder, _, ok := strings.Cut(rest, "/")
	if !ok {
		return "", nil
	}
	src, err := s.Source(ctx, folder)
	if errs.Is(err, errs.NotFound) || err == nil && src.Dataset != dataset {
		return "", nil
	}
	if err == nil && !src.Enabled {
		err = errs.New(errs.Held, "source %s is paused", src.ID).Mend("enable it, then send the file again")
	}
	return src.ID, err
}

// pin completes what identifies the object from the store.
func (s *Service) pin(ctx context.Context, o Object) (Object, error) {
	if o.Version != "" && o.Size > 0 {
		return o, nil
	}
	r, info, err := s.Objects.Get(ctx, o.Key, 0)
	if err != nil {
		return o, fmt.Errorf("look up arrival: %w", err)
	}
	if err := r.Close(); err != nil {
		return o, fmt.Errorf("look up arrival: %w", err)
	}
	o.Size = info.Size
	if o.Version == "" {
		o.Version = identity(info.Version, info.SHA256)
	}
	return o, nil
}

// contentVersion begins the version of an object in a store without versions; its digest follows.
const contentVersion = "sha256:"

// identity names one state of an object: its version, or its content.
func identity(version, sum string) string {
	if version != "" {
		return version
	}
	return contentVersion + sum
}

func (s *Service) newIngestion(by audit.Actor, dataset, source string, o Object, resubmits string) Ingestion {
	now := s.Clock()
	return Ingestion{
		ID: s.IDs("ing"), Dataset: dataset, Source: source, Name: path.Base(o.Key), Object: o, Status: Received,
		Errors: []ErrorGroup{}, Warnings: []ErrorGroup{}, Resubmits: resubmits, Attempt: 1, Actor: by, Created: now, Rev: 1,
		Steps: []Step{{Name: StepReceive, Started: now, Ended: now}},
	}
}

func (s *Service) receive(ctx context.Context, by audit.Actor, ing Ingestion) (Ingestion, error) {
	key := arrivalKey(ing.Object)
	_, err := s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "IngestionReceived", Subject: audit.Subject{Type: "ingestion", ID: ing.ID},
		Data: map[string]any{"ingestion": ing.ID, "dataset": ing.Dataset, "key": ing.Object.Key, "size": ing.Object.Size},
		Ops: []table.Op{
			saveIngestion(ing, 0), table.Save(key, arrival{ing.ID}, 0, nil), open(ing.ID),
			lineage.Edge(objectNode(ing.Object), ingestionNode(ing.ID)),
		},
	})
	if errs.Is(err, errs.Conflict) {
		first, err := table.Load[arrival](ctx, s.Table, key)
		if err != nil {
			return ing, err
		}
		return s.launch(ctx, first.Ingestion)
	}
	if err != nil {
		return ing, err
	}
	return s.launch(ctx, ing.ID)
}

// launch starts the ingestion's execution. It may be called again after a crash: the name makes it
// idempotent.
func (s *Service) launch(ctx context.Context, id string) (Ingestion, error) {
	ing, err := s.Ingestion(ctx, id)
	if err != nil || s.Workflow == nil || ing.Status != Received || ing.Execution != "" {
		return ing, err
	}
	name := id + "-" + strconv.Itoa(ing.Attempt)
	arn, err := s.Workflow.Start(ctx, Machine, name, map[string]string{"ingestion": id})
	if err != nil {
		return ing, fmt.Errorf("start %s: %w", Machine, err)
	}
	return s.change(ctx, id, note{Actor: audit.System("ingestion"), Type: "IngestionStarted"}, func(i *Ingestion) error {
		i.Execution = arn
		return nil
	})
}

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
		n.Data = map[string]any{"ingestion": ing.ID, "dataset": ing.Dataset, "status": ing.Status, "counts": ing.Counts}
	}
	return audit.Change{
		Actor: n.Actor, Type: n.Type, Subject: audit.Subject{Type: "ingestion", ID: ing.ID}, Reason: n.Reason, Data: n.Data,
		Before: before, After: audit.JSON(ing), Ops: ops,
	}
}
