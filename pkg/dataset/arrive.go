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
