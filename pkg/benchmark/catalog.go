package benchmark

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Catalog keeps the benchmarks of a platform. Versions are immutable; a name points at its newest one.
type Catalog struct {
	Table   table.Table
	Log     audit.Committer
	Objects object.Store
	Clock   ids.Clock
}

// record is a benchmark's newest version as the table keeps it.
type record struct {
	Header
	Created time.Time `json:"created"`
	Rev     int64     `json:"rev"`
}

func recordKey(name string) table.Key { return table.Key{PK: "BENCHMARK#" + name, SK: "META"} }

func fileKey(lock, name, file string) string {
	return fmt.Sprintf("benchmarks/%s/%s/%s", ShortLock(lock), name, file)
}

// AddBenchmark stores a version and points its name at it. Adding what is the newest already changes nothing.
func (c *Catalog) AddBenchmark(ctx context.Context, by audit.Actor, v Version) (Header, error) {
	if err := v.Validate(); err != nil {
		return Header{}, err
	}
	old, err := table.Load[record](ctx, c.Table, recordKey(v.Name))
	if err != nil && !errs.Is(err, errs.NotFound) {
		return Header{}, err
	}
	next := record{Header: v.Header(), Created: c.Clock(), Rev: old.Rev + 1}
	if old.Lock == next.Lock {
		return old.Header, nil
	}
	for file, content := range v.Files() {
		if _, err := c.Objects.Put(ctx, fileKey(next.Lock, v.Name, file), bytes.NewReader(content), object.PutOptions{}); err != nil {
			return Header{}, err
		}
	}
	op := table.Save(recordKey(v.Name), next, old.Rev, map[table.Index]table.Key{table.GSI1: {PK: "BENCHMARKS", SK: v.Name}})
	_, err = c.Log.Commit(ctx, audit.Change{Actor: by, Type: "BenchmarkLocked", Data: next, Before: audit.JSON(old.Lock),
		After: audit.JSON(next.Lock), Subject: audit.Subject{Type: "benchmark", ID: v.Name}, Ops: []table.Op{op}})
	return next.Header, err
}

// Benchmarks gives the newest version of every benchmark, by name, without items.
func (c *Catalog) Benchmarks(ctx context.Context) ([]Header, error) {
	recs, err := table.All[record](ctx, c.Table, table.Query{Index: table.GSI1, PK: "BENCHMARKS"})
	out := make([]Header, len(recs))
	for i, r := range recs {
		out[i] = r.Header
	}
	return out, err
}

// Benchmark loads the newest version of a benchmark with its items.
func (c *Catalog) Benchmark(ctx context.Context, name string) (Version, error) {
	rec, err := table.Load[record](ctx, c.Table, recordKey(name))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no benchmark %q", name)
	}
	if err != nil {
		return Version{}, err
	}
	v := rec.Version
	if v.Items, err = c.items(ctx, fileKey(rec.Lock, name, "items.jsonl")); err != nil {
		return v, err
	}
	if v.Lock() != rec.Lock {
		err = errs.New(errs.Internal, "benchmark %s does not match its lock %s", name, rec.Lock).Mend("add it again")
	}
	return v, err
}

// Parts gives the digests of the parts of any version that was ever added, by its lock.
func (c *Catalog) Parts(ctx context.Context, name, lock string) (map[string]string, error) {
	r, _, err := c.Objects.Get(ctx, fileKey(lock, name, "lock.json"), 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var head Header
	if err := json.NewDecoder(r).Decode(&head); err != nil {
		return nil, fmt.Errorf("read the lock of %s: %w", name, err)
	}
	if head.Lock != lock { // another lock with the same first digits
		return nil, errs.New(errs.NotFound, "no version of %s has lock %s", name, lock)
	}
	return head.Parts, nil
}

func (c *Catalog) items(ctx context.Context, key string) ([]Item, error) {
	r, _, err := c.Objects.Get(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []Item
	for d := json.NewDecoder(r); ; {
		var it Item
		if err := d.Decode(&it); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		out = append(out, it)
	}
}

// Index makes the overlap index of every benchmark.
func (c *Catalog) Index(ctx context.Context) (*Index, error) {
	heads, err := c.Benchmarks(ctx)
	if err != nil {
		return nil, err
	}
	var vs []Version
	for _, h := range heads {
		v, err := c.Benchmark(ctx, h.Name)
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
	return NewIndex(vs...), nil
}
