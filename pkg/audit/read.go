package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/perennial-llm/perennial/pkg/table"
)

// After gives at most limit events that follow seq, in order; limit 0 = 100, at most 1000.
func (l *Log) After(ctx context.Context, seq int64, limit int) ([]Event, error) {
	return follow[Event](ctx, l.table, eventKey(0).PK, eventSK, seq, limit)
}

// Entries gives at most limit entries of the audit trail that follow seq, oldest first.
func (l *Log) Entries(ctx context.Context, seq int64, limit int) ([]Entry, error) {
	return follow[Entry](ctx, l.table, auditPK, entrySK, seq, limit)
}

// Latest gives a page of the audit trail, newest first, with the cursor of the next one.
func (l *Log) Latest(ctx context.Context, cursor string, limit int) ([]Entry, string, error) {
	q := table.Query{PK: auditPK, Prefix: entrySK, Descending: true, Cursor: cursor, Limit: limit}
	return page[Entry](ctx, l.table, q)
}

// History gives a page of the entries about one subject, newest first. It may lag by moments.
func (l *Log) History(ctx context.Context, s Subject, cursor string, limit int) ([]Entry, string, error) {
	q := table.Query{Index: table.GSI1, PK: subjectPK(s), Prefix: entrySK, Descending: true, Cursor: cursor, Limit: limit}
	return page[Entry](ctx, l.table, q)
}

// follow reads on until there are limit records or the end is reached.
func follow[T any](ctx context.Context, t table.Table, pk, sk string, seq int64, limit int) ([]T, error) {
	if limit <= 0 {
		limit = 100
	}
	seq = max(seq, 0)
	q := table.Query{PK: pk, From: number(sk, seq+1), To: number(sk, math.MaxInt64/1000), Consistency: table.Consistent}
	var all []T
	for {
		q.Limit = min(limit-len(all), table.MaxLimit)
		records, next, err := page[T](ctx, t, q)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
		if next == "" || len(all) >= limit {
			return all, nil
		}
		q.Cursor = next
	}
}

func page[T any](ctx context.Context, t table.Table, q table.Query) ([]T, string, error) {
	found, err := t.Query(ctx, q)
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", q.PK, err)
	}
	records := make([]T, len(found.Items))
	for i, it := range found.Items {
		if err := json.Unmarshal(it.Body, &records[i]); err != nil {
			return nil, "", fmt.Errorf("decode %s: %w", it.SK, err)
		}
	}
	return records, found.Next, nil
}
