package dataset

import (
	"context"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// RetractedEvent is the data of the DatasetVersionRetracted event.
type RetractedEvent struct {
	Dataset  string   `json:"dataset"`
	Version  int      `json:"version"`
	Versions []int    `json:"versions"` // all that hold rows which the version brought in
	Shards   []string `json:"shards"`   // SHA-256 of what the version brought in
	Latest   int      `json:"latest"`   // newest version that is left; 0 = none
	Rows     int      `json:"rows"`     // of that
}

// Retract takes back what a version brought in: the version and every later one that holds its shards may
// no longer be learned from. When the newest is among them, its other rows become a new version, unless an
// older version holds just these. Retracting again changes nothing.
func (s *Service) Retract(ctx context.Context, by audit.Actor, dataset string, number int, reason string) (Version, error) {
	if reason == "" {
		return Version{}, errs.New(errs.Invalid, "no reason").At("/reason").Mend("say why the version is retracted")
	}
	for range changeTries {
		v, err := s.Version(ctx, dataset, number)
		if err != nil || v.Status == VersionRetracted {
			return v, err
		}
		err = s.retractOnce(ctx, by, v, reason)
		if err == nil {
			return s.Version(ctx, dataset, number)
		}
		if !errs.Is(err, errs.Conflict) {
			return v, fmt.Errorf("retract version %d of %s: %w", number, dataset, err)
		}
	}
	return Version{}, errs.New(errs.Unavailable, "dataset %s keeps changing", dataset).Mend("try again")
}

// mostRetracted bounds the versions of one retraction by what a transaction holds.
const mostRetracted = 40

func (s *Service) retractOnce(ctx context.Context, by audit.Actor, v Version, reason string) error {
	ds, err := s.Dataset(ctx, v.Dataset)
	if err != nil {
		return err
	}
	bad, err := s.broughtIn(ctx, v)
	if err != nil {
		return err
	}
	affected, err := s.holding(ctx, ds, v.Number, bad)
	if err != nil {
		return err
	}
	if len(affected) > mostRetracted {
		return errs.New(errs.Exhausted, "%d versions hold these rows, more than %d", len(affected), mostRetracted).
			Mend("retract a later version first")
	}
	left, ops, late, err := s.leftOver(ctx, by, ds, affected, bad)
	if err != nil {
		return err
	}
	event := RetractedEvent{Dataset: v.Dataset, Version: v.Number, Latest: left.Number, Rows: left.Rows}
	for _, shard := range bad {
		event.Shards = append(event.Shards, shard.SHA256)
	}
	for _, a := range affected {
		event.Versions = append(event.Versions, a.Number)
		a.Status, a.Reason = VersionRetracted, reason
		ops = append(ops, saveVersion(a, a.Rev))
	}
	ops = append(ops, saveLatest(ds, left))
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "DatasetVersionRetracted", Subject: versionSubject(v), Reason: reason, Data: event, Ops: ops})
	if err != nil {
		return err
	}
	return s.writeEdges(ctx, late)
}

// broughtIn gives the shards that a version has and its parent lacks; all of its shards when it has no
// parent or brought in nothing, as one that a retraction made.
func (s *Service) broughtIn(ctx context.Context, v Version) ([]Shard, error) {
	if v.Parent == 0 {
		return v.Shards, nil
	}
	parent, err := s.Version(ctx, v.Dataset, v.Parent)
	if fresh := without(v.Shards, parent.Shards); len(fresh) > 0 {
		return fresh, err
	}
	return v.Shards, err
}

// holding gives the versions from a number on that hold one of the shards and are not retracted yet.
func (s *Service) holding(ctx context.Context, ds Dataset, from int, bad []Shard) ([]Version, error) {
	all, err := table.All[Version](ctx, s.Table, table.Query{
		PK: "DATASET#" + ds.ID, From: versionKey(ds.ID, from).SK, To: versionKey(ds.ID, ds.Numbers).SK, Consistency: table.Consistent})
	if err != nil {
		return nil, err
	}
	var out []Version
	for _, v := range all {
		if v.Shards, err = s.readManifest(ctx, v); err != nil {
			return nil, err
		}
		if v.Status == VersionPublished && len(without(v.Shards, bad)) < len(v.Shards) {
			out = append(out, v)
		}
	}
	return out, nil
}

// leftOver finds or makes the newest version after a retraction, with the operations that make it.
func (s *Service) leftOver(ctx context.Context, by audit.Actor, ds Dataset, affected []Version, bad []Shard) (Version, []table.Op, []table.Op, error) {
	newest, err := s.newest(ctx, ds)
	if err != nil {
		return newest, nil, nil, err
	}
	rest := without(newest.Shards, bad)
	if len(rest) == len(newest.Shards) || len(rest) == 0 {
		if len(rest) == 0 {
			newest = Version{Dataset: ds.ID}
		}
		return newest, nil, nil, nil
	}
	v := s.next(ds, newest, rest)
	same, err := s.sameDigest(ctx, ds, v.Digest)
	if err != nil || same.Number > 0 {
		return same, nil, nil, err
	}
	v.Actor = by
	if err := s.putManifest(ctx, v); err != nil {
		return v, nil, nil, err
	}
	early, late := edges(v, newest, maxEdges-len(affected))
	return v, append(early, saveVersion(v, 0)), late, nil
}

// sameDigest finds a published version with the digest; number 0 when there is none.
func (s *Service) sameDigest(ctx context.Context, ds Dataset, digest string) (Version, error) {
	all, err := table.All[Version](ctx, s.Table, table.Query{
		PK: "DATASET#" + ds.ID, Prefix: "VERSION#", Descending: true, Consistency: table.Consistent})
	for _, v := range all {
		if v.Digest == digest && v.Status == VersionPublished {
			return v, err
		}
	}
	return Version{}, err
}
