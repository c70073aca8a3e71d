package benchmark

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Record is a benchmark as the library lists it: its newest version.
type Record struct {
	Name         string    `json:"name"`
	Title        string    `json:"title,omitempty"`
	Lock         string    `json:"lock"`
	Scorer       string    `json:"scorer"`
	Items        int       `json:"items"`
	Capabilities []string  `json:"capabilities"`
	Licence      string    `json:"licence,omitempty"`
	Created      time.Time `json:"created"`
	Rev          int64     `json:"rev"`
}

// Library keeps benchmark versions. Versions are immutable; a name points at its newest one.
type Library struct {
	Table   table.Table
	Log     audit.Committer
	Objects object.Store
	Clock   ids.Clock
}

func recordKey(name string) table.Key { return table.Key{PK: "BENCHMARK#" + name, SK: "META"} }

func fileKey(lock, name, file string) string {
	return fmt.Sprintf("benchmarks/%s/%s/%s", ShortLock(lock), name, file)
}

// Add stores a version and points its name at it. Adding what is already the newest changes nothing.
func (l *Library) Add(ctx context.Context, by audit.Actor, v Version) (Record, error) {
	if err := v.Validate(); err != nil {
		return Record{}, err
	}
	old, err := l.Record(ctx, v.Name)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return old, err
	}
	lock := v.Lock()
	if old.Lock == lock {
		return old, nil
	}
	for file, content := range v.Files() {
		if _, err := l.Objects.Put(ctx, fileKey(lock, v.Name, file), bytes.NewReader(content), object.PutOptions{}); err != nil {
			return old, err
		}
	}
	rec := Record{Name: v.Name, Title: v.Title, Lock: lock, Scorer: v.Scorer.Kind, Items: len(v.Items), Licence: v.Licence,
		Capabilities: capabilities(v), Created: l.Clock(), Rev: old.Rev + 1}
	_, err = l.Log.Commit(ctx, audit.Change{Actor: by, Type: "BenchmarkLocked", Data: rec, Before: audit.JSON(old.Lock), After: audit.JSON(lock),
		Subject: audit.Subject{Type: "benchmark", ID: v.Name},
		Ops:     []table.Op{table.Save(recordKey(v.Name), rec, old.Rev, map[table.Index]table.Key{table.GSI1: {PK: "BENCHMARKS", SK: v.Name}})}})
	return rec, err
}

func capabilities(v Version) []string {
	out := []string{}
	for _, it := range v.Items {
		if !slices.Contains(out, it.Capability) {
			out = append(out, it.Capability)
		}
	}
	slices.Sort(out)
	return out
}

// List gives all benchmarks by name.
func (l *Library) List(ctx context.Context) ([]Record, error) {
	return table.All[Record](ctx, l.Table, table.Query{Index: table.GSI1, PK: "BENCHMARKS"})
}

// Record gives one benchmark's newest version as listed.
func (l *Library) Record(ctx context.Context, name string) (Record, error) {
	r, err := table.Load[Record](ctx, l.Table, recordKey(name))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no benchmark %q", name)
	}
	return r, err
}

// Get loads the newest version of a benchmark with its items.
func (l *Library) Get(ctx context.Context, name string) (Version, error) {
	rec, err := l.Record(ctx, name)
	if err != nil {
		return Version{}, err
	}
	var head Header
	if err := l.read(ctx, fileKey(rec.Lock, name, "lock.json"), func(d *json.Decoder) error { return d.Decode(&head) }); err != nil {
		return Version{}, err
	}
	v := head.Version
	err = l.read(ctx, fileKey(rec.Lock, name, "items.jsonl"), func(d *json.Decoder) error {
		for {
			var it Item
			if err := d.Decode(&it); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			v.Items = append(v.Items, it)
		}
	})
	if err == nil && v.Lock() != rec.Lock {
		err = errs.New(errs.Internal, "benchmark %s does not match its lock %s", name, rec.Lock).Mend("add it again")
	}
	return v, err
}

func (l *Library) read(ctx context.Context, key string, decode func(*json.Decoder) error) error {
	r, _, err := l.Objects.Get(ctx, key, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := decode(json.NewDecoder(r)); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	return nil
}

// Index makes the overlap index of every benchmark in the library.
func (l *Library) Index(ctx context.Context) (*Index, error) {
	recs, err := l.List(ctx)
	if err != nil {
		return nil, err
	}
	var vs []Version
	for _, r := range recs {
		v, err := l.Get(ctx, r.Name)
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
	return NewIndex(vs...), nil
}
