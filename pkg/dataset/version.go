package dataset

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Versions lists the versions of a dataset, newest first, without their shards, and gives the cursor to
// the next page.
func (s *Service) Versions(ctx context.Context, dataset string, limit int, cursor string) ([]Version, string, error) {
	return table.List[Version](ctx, s.Table, table.Query{
		PK: "DATASET#" + dataset, Prefix: "VERSION#", Descending: true, Limit: limit, Cursor: cursor, Consistency: table.Consistent})
}

// Version gives one version with its shards.
func (s *Service) Version(ctx context.Context, dataset string, n int) (Version, error) {
	v, err := table.Load[Version](ctx, s.Table, versionKey(dataset, n))
	if errs.Is(err, errs.NotFound) {
		return v, errs.New(errs.NotFound, "dataset %s has no version %d", dataset, n)
	}
	if err != nil {
		return v, err
	}
	v.Shards, err = s.readManifest(ctx, v)
	return v, err
}

// Latest gives the newest published version with its shards; errs.NotFound when there is none.
func (s *Service) Latest(ctx context.Context, dataset string) (Version, error) {
	ds, err := s.Dataset(ctx, dataset)
	if err != nil {
		return Version{}, err
	}
	if ds.Latest == 0 {
		return Version{}, errs.New(errs.NotFound, "dataset %s has no published version", dataset).Mend("add data first")
	}
	return s.Version(ctx, dataset, ds.Latest)
}

// readManifest reads the shards of a version and holds them to its digest.
func (s *Service) readManifest(ctx context.Context, v Version) ([]Shard, error) {
	r, _, err := s.Objects.Get(ctx, v.Manifest, 0)
	if err != nil {
		return nil, fmt.Errorf("open manifest of version %d: %w", v.Number, err)
	}
	defer r.Close() //nolint:errcheck // read only
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read manifest of version %d: %w", v.Number, err)
	}
	if hexDigest(b) != strings.TrimPrefix(v.Digest, "sha256:") {
		return nil, errs.New(errs.Internal, "the manifest of version %d is not the recorded one", v.Number)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("decode manifest of version %d: %w", v.Number, err)
	}
	return m.Shards, nil
}

// eachID calls fn with the id and prompt id of every row of a shard, in order.
func (s *Service) eachID(ctx context.Context, shard Shard, fn func(rows.ID, [8]byte)) error {
	r, _, err := s.Objects.Get(ctx, shard.IDs, 0)
	if err != nil {
		return fmt.Errorf("open row ids: %w", err)
	}
	defer r.Close() //nolint:errcheck // read only
	in := bufio.NewReaderSize(r, 48<<10)
	var entry [idSize]byte
	n := 0
	for ; ; n++ {
		_, err := io.ReadFull(in, entry[:])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read row ids of %s: %w", shard.SHA256, err)
		}
		fn(rows.ID(entry[:16]), [8]byte(entry[16:]))
	}
	if n != shard.Rows {
		return errs.New(errs.Internal, "shard %s has %d row ids for %d rows", shard.SHA256, n, shard.Rows)
	}
	return nil
}

// intersect tells whether a row of a is in b too.
func (s *Service) intersect(ctx context.Context, a, b []Shard) (bool, error) {
	if len(a) == 0 || len(b) == 0 {
		return false, nil
	}
	have, found := newSeen(), false
	for _, shard := range a {
		if err := s.eachID(ctx, shard, func(id rows.ID, _ [8]byte) { have.add(id) }); err != nil {
			return false, err
		}
	}
	for _, shard := range b {
		if err := s.eachID(ctx, shard, func(id rows.ID, _ [8]byte) { found = found || have.has(id) }); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// Row is a published row as it stands in a shard.
type Row struct {
	ID    string          `json:"id"`
	Shard string          `json:"shard"` // SHA-256
	Body  json.RawMessage `json:"body"`  // the whole line
}

// eachRow calls fn with every line of a shard, in order, until it returns false. The line is only valid
// during the call.
func (s *Service) eachRow(ctx context.Context, shard Shard, fn func(index int, line []byte) bool) error {
	r, _, err := s.Objects.Get(ctx, shard.Key, 0)
	if err != nil {
		return fmt.Errorf("open shard: %w", err)
	}
	defer r.Close() //nolint:errcheck // read only
	zip, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("open shard %s: %w", shard.SHA256, err)
	}
	lines := bufio.NewScanner(zip)
	lines.Buffer(nil, 16<<20) // a row of 1 MiB grows when control characters are escaped
	for i := 0; lines.Scan(); i++ {
		if !fn(i, lines.Bytes()) {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read shard %s: %w", shard.SHA256, err)
	}
	return nil
}
