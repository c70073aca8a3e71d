package sqlite

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/perennial-llm/perennial/pkg/table"
)

// WithIndexLag makes reads through an index see the past, up to lag ago by the table's clock, so
// that tests meet the eventual consistency that DynamoDB's indexes have.
func WithIndexLag(lag time.Duration) Option {
	return func(t *records) { t.lag = &snapshot{lag: lag} }
}

// snapshot is a read transaction kept open: it goes on seeing the state at which it began.
type snapshot struct {
	mu    sync.Mutex
	lag   time.Duration
	tx    *sql.Tx
	taken time.Time
}

func nothing() {}

// source is where a query reads from, with a function to call when it has been read.
func (t *records) source(ctx context.Context, index table.Index) (querier, func(), error) {
	if t.lag == nil || index == table.Primary {
		return t.db.read, nothing, nil
	}
	t.lag.mu.Lock()
	if err := t.lag.renew(ctx, t.db.read, t.clock()); err != nil {
		t.lag.mu.Unlock()
		return nil, nil, err
	}
	return t.lag.tx, t.lag.mu.Unlock, nil
}

// renew begins a new snapshot when the present one is older than the lag.
func (s *snapshot) renew(ctx context.Context, pool *sql.DB, now time.Time) error {
	if s.tx != nil && now.Sub(s.taken) < s.lag {
		return nil
	}
	if s.tx != nil {
		_ = s.tx.Rollback()
		s.tx = nil
	}
	tx, err := pool.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return classify("begin snapshot", err)
	}
	var n int // the first read fixes what the transaction sees
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM items LIMIT 1)`).Scan(&n); err != nil {
		_ = tx.Rollback()
		return classify("begin snapshot", err)
	}
	s.tx, s.taken = tx, now
	return nil
}
