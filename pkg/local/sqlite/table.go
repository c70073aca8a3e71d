package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Table gives the records in the file. Options are for tests.
func (db *DB) Table(clock ids.Clock, options ...Option) table.Table {
	t := &records{db: db, clock: clock}
	for _, option := range options {
		option(t)
	}
	return table.Limit(t)
}

// Option changes how a table behaves.
type Option func(*records)

// records implements table.Table.
type records struct {
	db    *DB
	clock ids.Clock
	lag   *snapshot // nil: indexes are up to date
}

var _ table.Table = (*records)(nil)

const columns = `pk, sk, body, num, rev, ttl, g1p, g1s, g2p, g2s`

// Get reads one item.
func (t *records) Get(ctx context.Context, key table.Key, _ table.Consistency) (table.Item, error) {
	it, err := load(ctx, t.db.read, key)
	if err != nil {
		return table.Item{}, err
	}
	if it = table.Live(it, t.clock()); it == nil {
		return table.Item{}, errs.New(errs.NotFound, "no record %s %s", key.PK, key.SK)
	}
	return *it, nil
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// load gives the stored item, expired or not; nil when there is none.
func load(ctx context.Context, q querier, key table.Key) (*table.Item, error) {
	row := q.QueryRowContext(ctx, `SELECT `+columns+` FROM items WHERE pk = ? AND sk = ?`, key.PK, key.SK)
	it, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, classify("read item", err)
	}
	return &it, nil
}

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (table.Item, error) {
	var it table.Item
	var num, g1p, g1s, g2p, g2s sql.NullString
	var ttl sql.NullInt64
	var body []byte
	if err := row.Scan(&it.PK, &it.SK, &body, &num, &it.Rev, &ttl, &g1p, &g1s, &g2p, &g2s); err != nil {
		return it, err
	}
	it.Body = body
	if ttl.Valid {
		it.TTL = time.Unix(ttl.Int64, 0).UTC()
	}
	setIndex(&it, table.GSI1, g1p, g1s)
	setIndex(&it, table.GSI2, g2p, g2s)
	if num.Valid {
		if err := json.Unmarshal([]byte(num.String), &it.Num); err != nil {
			return it, fmt.Errorf("decode counters: %w", err)
		}
	}
	return it, nil
}

func setIndex(it *table.Item, index table.Index, pk, sk sql.NullString) {
	if !pk.Valid {
		return
	}
	if it.Idx == nil {
		it.Idx = map[table.Index]table.Key{}
	}
	it.Idx[index] = table.Key{PK: pk.String, SK: sk.String}
}

// classify turns an error of the database into one with a code. A full or failing disk and a lock
// that never came free are Unavailable: the write did not happen.
func classify(doing string, err error) error {
	var se *sqlite.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.As(err, &se):
		return errs.New(errs.Unavailable, "%s: %w", doing, err).Mend("see that the disk has free space and try again")
	}
	return errs.New(errs.Internal, "%s: %w", doing, err)
}
