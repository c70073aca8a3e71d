package dataset

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// PublishedEvent is the data of the DatasetVersionPublished event.
type PublishedEvent struct {
	Dataset   string `json:"dataset"`
	Version   int    `json:"version"`
	Digest    string `json:"digest"`
	NewRows   int    `json:"newRows"`
	TotalRows int    `json:"totalRows"`
	Ingestion string `json:"ingestion,omitempty"`
}

// publishTries is how often publishing starts over when the dataset moves on meanwhile.
const publishTries = 16

// Publish makes the accepted rows of a checked ingestion the dataset's next version: the shards of the
// newest one and the new ones. Publishing again gives the same version. An ingestion without a new row
// ends as published in the version that has its rows.
func (s *Service) Publish(ctx context.Context, id string) (Version, error) {
	for range publishTries {
		ing, err := s.Ingestion(ctx, id)
		if err != nil {
			return Version{}, err
		}
		switch ing.Status {
		case Published:
			return s.published(ctx, ing)
		case Publishing:
			err = s.publishOnce(ctx, ing)
		default:
			return Version{}, errs.New(errs.Conflict, "ingestion %s is %s", id, strings.ToLower(string(ing.Status))).
				Mend("only a checked ingestion can be published")
		}
		if err != nil && !errs.Is(err, errs.Conflict) {
			return Version{}, fmt.Errorf("publish ingestion %s: %w", id, err)
		}
	}
	return Version{}, errs.New(errs.Unavailable, "the dataset of ingestion %s keeps changing", id).Mend("try again")
}

// published gives the version of a published ingestion and completes its lineage, which a crash may have
// cut short.
func (s *Service) published(ctx context.Context, ing Ingestion) (Version, error) {
	v, err := s.Version(ctx, ing.Dataset, ing.DatasetVersion)
	if err != nil || v.Ingestion != ing.ID {
		return v, err
	}
	late, err := s.lateEdges(ctx, v)
	if err != nil {
		return v, err
	}
	return v, s.writeEdges(ctx, late)
}

// publishOnce makes one attempt on the present state; errs.Conflict when that changed meanwhile.
func (s *Service) publishOnce(ctx context.Context, ing Ingestion) error {
	ds, err := s.Dataset(ctx, ing.Dataset)
	if err != nil {
		return err
	}
	newest, err := s.newest(ctx, ds)
	if err != nil {
		return err
	}
	rep, err := s.readReport(ctx, ing)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	if err == nil {
		var stale bool
		stale, err = s.stale(ctx, rep, ds, newest)
		if err == nil && !stale {
			return s.commitVersion(ctx, ing, ds, newest, rep)
		}
	}
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return s.checkAgain(ctx, ing)
}

// newest gives the newest published version, or an empty one.
func (s *Service) newest(ctx context.Context, ds Dataset) (Version, error) {
	if ds.Latest == 0 {
		return Version{Dataset: ds.ID}, nil
	}
	return s.Version(ctx, ds.ID, ds.Latest)
}

// checkAgain repeats the admission against the dataset as it is now. The decision to publish stands.
func (s *Service) checkAgain(ctx context.Context, ing Ingestion) error {
	rep, err := s.admit(ctx, ing)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, ing.ID, note{Actor: system, Type: "IngestionChecked"}, func(i *Ingestion) error {
		if i.Status != Publishing {
			return errs.New(errs.Conflict, "ingestion %s is %s by now", i.ID, i.Status)
		}
		i.take(rep)
		return nil
	})
	return err
}

// stale tells whether the dataset moved on since the check in a way that matters: a new row is there
// already, or a version that held duplicates was retracted.
func (s *Service) stale(ctx context.Context, rep report, ds Dataset, newest Version) (bool, error) {
	if rep.Base == ds.Latest {
		return false, nil
	}
	var base Version
	if rep.Base > 0 {
		var err error
		if base, err = s.Version(ctx, ds.ID, rep.Base); err != nil {
			return false, err
		}
	}
	if rep.Counts.Duplicates > 0 && len(without(base.Shards, newest.Shards)) > 0 {
		return true, nil
	}
	return s.intersect(ctx, rep.Shards, without(newest.Shards, base.Shards))
}

// commitVersion writes the manifest, then version, dataset and ingestion in one transaction.
func (s *Service) commitVersion(ctx context.Context, ing Ingestion, ds Dataset, newest Version, rep report) error {
	if len(rep.Shards) == 0 {
		return s.commitUnchanged(ctx, ing, newest)
	}
	v := s.next(ds, newest, append(newest.Shards[:len(newest.Shards):len(newest.Shards)], rep.Shards...))
	v.Ingestion, v.Added, v.Actor, v.Parent = ing.ID, rep.Counts.Accepted, ing.Actor, newest.Number
	if err := s.putManifest(ctx, v); err != nil {
		return err
	}
	before, rev := audit.JSON(ing), ing.Rev
	s.finish(&ing, v.Number, fmt.Sprintf("version %d with %d new rows", v.Number, v.Added))
	early, late := edges(v, newest, maxEdges)
	_, err := s.Log.Commit(ctx, audit.Change{
		Actor: ing.Actor, Type: "DatasetVersionPublished", Subject: versionSubject(v), Before: before, After: audit.JSON(ing),
		Data: PublishedEvent{v.Dataset, v.Number, v.Digest, v.Added, v.Rows, ing.ID},
		Ops:  append(early, saveVersion(v, 0), saveLatest(ds, v), saveIngestion(ing, rev)),
	})
	if err != nil {
		return err
	}
	return s.writeEdges(ctx, late)
}

// commitUnchanged ends an ingestion all of whose rows the dataset has already.
func (s *Service) commitUnchanged(ctx context.Context, ing Ingestion, newest Version) error {
	before, rev := audit.JSON(ing), ing.Rev
	s.finish(&ing, newest.Number, "nothing new")
	_, err := s.Log.Commit(ctx, s.noted(note{Actor: ing.Actor, Type: "IngestionUnchanged"}, ing, before, saveIngestion(ing, rev)))
	return err
}

func (s *Service) finish(ing *Ingestion, version int, detail string) {
	ing.Status, ing.DatasetVersion, ing.Ended = Published, version, s.Clock()
	ing.end(ing.Ended, detail)
}

// next makes the version that follows, without its origin.
func (s *Service) next(ds Dataset, parent Version, shards []Shard) Version {
	v := Version{
		Dataset: ds.ID, Number: ds.Numbers + 1, Parent: parent.Number, Shards: shards, Status: VersionPublished,
		Created: s.Clock(), Rev: 1,
	}
	for _, shard := range shards {
		v.Rows += shard.Rows
		v.Bytes += shard.Bytes
		v.Stats.add(shard.Stats)
	}
	v.Tokens = v.Stats.Tokens
	v.Digest = "sha256:" + hexDigest(encode(v.manifest()))
	v.Manifest = manifestKey(v.Dataset, v.Digest)
	return v
}

func saveLatest(ds Dataset, v Version) table.Op {
	ds.Latest, ds.Rows, ds.Numbers = v.Number, v.Rows, max(ds.Numbers, v.Number)
	return saveDataset(ds, ds.Rev)
}

func versionSubject(v Version) audit.Subject {
	return audit.Subject{Type: "datasetVersion", ID: fmt.Sprintf("%s@%d", v.Dataset, v.Number)}
}

// manifest is the content of a version. Its digest is the version's.
type manifest struct {
	Schema  string  `json:"schema"`
	Dataset string  `json:"dataset"`
	Rows    int     `json:"rows"`
	Shards  []Shard `json:"shards"`
}

func (v Version) manifest() manifest {
	return manifest{Schema: "dataset-manifest/v1", Dataset: v.Dataset, Rows: v.Rows, Shards: v.Shards}
}

func (s *Service) putManifest(ctx context.Context, v Version) error {
	_, err := s.Objects.Put(ctx, v.Manifest, bytes.NewReader(encode(v.manifest())),
		object.PutOptions{IfAbsent: true, SHA256: strings.TrimPrefix(v.Digest, "sha256:")})
	if err != nil && !errs.Is(err, errs.Conflict) {
		return fmt.Errorf("store manifest: %w", err)
	}
	return nil
}
