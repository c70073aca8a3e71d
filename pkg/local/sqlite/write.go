package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

var errReplay = errors.New("this write was made before")

// Write applies all operations in one transaction.
func (t *records) Write(ctx context.Context, token string, ops ...table.Op) error {
	tx, err := t.db.write.BeginTx(ctx, nil)
	if err != nil {
		return classify("begin", err)
	}
	defer func() { _ = tx.Rollback() }()
	now := t.clock()
	if err := claim(ctx, tx, token, ops, now); err != nil {
		if errors.Is(err, errReplay) {
			return nil
		}
		return err
	}
	if err := apply(ctx, tx, ops, now); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return classify("commit", err)
	}
	return nil
}

// claim records the token. A token that is already there with the same operations is errReplay.
func claim(ctx context.Context, tx *sql.Tx, token string, ops []table.Op, now time.Time) error {
	if token == "" {
		return nil
	}
	sum, err := table.Fingerprint(ops)
	if err != nil {
		return err
	}
	var known []byte
	err = tx.QueryRowContext(ctx, `SELECT hash FROM tokens WHERE token = ? AND expires > ?`, token, now.Unix()).Scan(&known)
	switch {
	case err == nil && string(known) == string(sum):
		return errReplay
	case err == nil:
		return errs.New(errs.Conflict, "token %s was used for another write", token)
	case !errors.Is(err, sql.ErrNoRows):
		return classify("read token", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO tokens (token, hash, expires) VALUES (?, ?, ?)`,
		token, sum, now.Add(table.TokenLife).Unix())
	if err != nil {
		return classify("write token", err)
	}
	return nil
}

// apply checks every condition on the state before, then stores the state after.
func apply(ctx context.Context, tx *sql.Tx, ops []table.Op, now time.Time) error {
	before := make([]*table.Item, len(ops))
	var failed []int
	for i, op := range ops {
		it, err := load(ctx, tx, op.Item.Key)
		if err != nil {
			return err
		}
		if before[i] = table.Live(it, now); !table.Holds(op.If, before[i]) {
			failed = append(failed, i)
		}
	}
	if len(failed) > 0 {
		return &table.CanceledError{Failed: failed}
	}
	for i, op := range ops {
		if err := store(ctx, tx, op, before[i]); err != nil {
			return err
		}
	}
	return nil
}

func store(ctx context.Context, tx *sql.Tx, op table.Op, before *table.Item) error {
	if op.Kind == table.Check {
		return nil
	}
	after := table.Apply(op, before)
	if after == nil {
		_, err := tx.ExecContext(ctx, `DELETE FROM items WHERE pk = ? AND sk = ?`, op.Item.PK, op.Item.SK)
		if err != nil {
			return classify("delete item", err)
		}
		return nil
	}
	args, err := row(*after)
	if err != nil {
		return err
	}
	const upsert = `INSERT OR REPLACE INTO items (` + columns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	if _, err := tx.ExecContext(ctx, upsert, args...); err != nil {
		return classify("write item", err)
	}
	return nil
}

func row(it table.Item) ([]any, error) {
	args := []any{it.PK, it.SK, nil, nil, it.Rev, nil, nil, nil, nil, nil}
	if len(it.Body) > 0 {
		args[2] = []byte(it.Body)
	}
	if len(it.Num) > 0 {
		raw, err := json.Marshal(it.Num)
		if err != nil {
			return nil, fmt.Errorf("encode counters: %w", err)
		}
		args[3] = string(raw)
	}
	if !it.TTL.IsZero() {
		args[5] = it.TTL.Unix()
	}
	for i, index := range []table.Index{table.GSI1, table.GSI2} {
		if key, ok := it.Idx[index]; ok {
			args[6+2*i], args[7+2*i] = key.PK, key.SK
		}
	}
	return args, nil
}
