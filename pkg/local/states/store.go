package states

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver behind OpenDB

	"github.com/perennial-llm/perennial/pkg/asl"
)

const schema = `
CREATE TABLE IF NOT EXISTS states_meta (key TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS states_definitions (digest TEXT PRIMARY KEY, definition BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS states_executions (
  arn TEXT PRIMARY KEY, machine TEXT NOT NULL, status TEXT NOT NULL, started INTEGER NOT NULL,
  digest TEXT NOT NULL, starter TEXT NOT NULL, header BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS states_by_machine ON states_executions (machine, started);
CREATE INDEX IF NOT EXISTS states_by_status ON states_executions (status, started);
CREATE TABLE IF NOT EXISTS states_threads (arn TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (arn, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS states_events (arn TEXT NOT NULL, id INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (arn, id)) WITHOUT ROWID;
`

// OpenDB opens a SQLite file as the service wants it: WAL, every commit synced, writers wait for each other.
func OpenDB(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// store keeps executions in SQLite. Commits that arrive together share one transaction.
type store struct {
	db     *sql.DB
	writes chan write
	done   chan struct{}

	mu     sync.RWMutex // held for reading while a commit is handed over
	closed bool
}

// write is one execution's transition on its way to the disk.
type write struct {
	commit asl.Commit
	insert *birth // set for the first commit of an execution
	result chan error
}

// birth is what only the first commit of an execution carries.
type birth struct {
	digest  string
	starter string // id of the task that started it, "" for others
}

func openStore(ctx context.Context, db *sql.DB) (*store, error) {
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, fmt.Errorf("create tables: %w", err)
	}
	s := &store{db: db, writes: make(chan write), done: make(chan struct{})}
	go s.writer()
	return s, nil
}

// close ends the writer; later commits are refused.
func (s *store) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	close(s.writes)
	<-s.done
}

// writer commits whatever waits, together.
func (s *store) writer() {
	defer close(s.done)
	for w := range s.writes {
		batch := append(make([]write, 0, 16), w)
		batch = s.drain(batch)
		err := s.commit(batch)
		for _, b := range batch {
			b.result <- err
		}
	}
}

// drain takes what else waits right now.
func (s *store) drain(batch []write) []write {
	for len(batch) < 256 {
		select {
		case w, ok := <-s.writes:
			if !ok {
				return batch
			}
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

func (s *store) put(c asl.Commit, b *birth) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errShutdown
	}
	result := make(chan error, 1)
	s.writes <- write{commit: c, insert: b, result: result}
	return <-result
}

func (s *store) commit(batch []write) error {
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, w := range batch {
		if err := w.apply(tx); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (w write) apply(tx *sql.Tx) error {
	if err := w.header(tx); err != nil {
		return err
	}
	arn := w.commit.Execution.ARN
	for _, id := range w.commit.Dropped {
		if _, err := tx.Exec(`DELETE FROM states_threads WHERE arn=? AND id=?`, arn, id); err != nil {
			return fmt.Errorf("drop thread: %w", err)
		}
	}
	for _, th := range w.commit.Changed {
		if err := put(tx, `INSERT INTO states_threads (arn,id,data) VALUES (?,?,?) ON CONFLICT DO UPDATE SET data=excluded.data`, arn, th.ID, th); err != nil {
			return err
		}
	}
	for _, e := range w.commit.Events {
		if err := put(tx, `INSERT INTO states_events (arn,id,data) VALUES (?,?,?)`, arn, e.ID, e); err != nil {
			return err
		}
	}
	return nil
}

func (w write) header(tx *sql.Tx) error {
	x := w.commit.Execution
	raw, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("encode execution: %w", err)
	}
	if w.insert == nil {
		_, err = tx.Exec(`UPDATE states_executions SET status=?, header=? WHERE arn=?`, x.Status, raw, x.ARN)
	} else {
		_, err = tx.Exec(`INSERT INTO states_executions (arn,machine,status,started,digest,starter,header) VALUES (?,?,?,?,?,?,?)`,
			x.ARN, x.Machine, x.Status, x.StartedAt.UnixNano(), w.insert.digest, w.insert.starter, raw)
	}
	if err != nil {
		return fmt.Errorf("write execution: %w", err)
	}
	return nil
}

func put(tx *sql.Tx, statement, arn string, id, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode row: %w", err)
	}
	if _, err := tx.Exec(statement, arn, id, raw); err != nil {
		return fmt.Errorf("write row: %w", err)
	}
	return nil
}

// row is an execution as stored.
type row struct {
	execution asl.Execution
	digest    string
	starter   string
}

const selectRow = `SELECT header, digest, starter FROM states_executions `

func (s *store) rows(ctx context.Context, where string, args ...any) ([]row, error) {
	rs, err := s.db.QueryContext(ctx, selectRow+where, args...)
	if err != nil {
		return nil, fmt.Errorf("query executions: %w", err)
	}
	defer func() { _ = rs.Close() }()
	var out []row
	for rs.Next() {
		var r row
		var raw []byte
		if err := rs.Scan(&raw, &r.digest, &r.starter); err != nil {
			return nil, fmt.Errorf("scan execution: %w", err)
		}
		if err := json.Unmarshal(raw, &r.execution); err != nil {
			return nil, fmt.Errorf("decode execution: %w", err)
		}
		out = append(out, r)
	}
	return out, rs.Err()
}

// get finds one execution; ok is false when there is none.
func (s *store) get(ctx context.Context, arn string) (r row, ok bool, err error) {
	rows, err := s.rows(ctx, `WHERE arn=?`, arn)
	if err != nil || len(rows) == 0 {
		return row{}, false, err
	}
	return rows[0], true, nil
}

// list gives executions, newest first; a negative limit means all.
func (s *store) list(ctx context.Context, machine string, status asl.Status, limit int) ([]row, error) {
	var conds []string
	var args []any
	if machine != "" {
		conds, args = append(conds, "machine=?"), append(args, machine)
	}
	if status != "" {
		conds, args = append(conds, "status=?"), append(args, status)
	}
	where := ""
	if len(conds) > 0 {
		where = "WHERE " + strings.Join(conds, " AND ")
	}
	return s.rows(ctx, where+" ORDER BY started DESC, arn LIMIT ?", append(args, limit)...)
}

// load reads the JSON rows of one execution into a slice.
func load[T any](ctx context.Context, s *store, table, arn string) ([]T, error) {
	rs, err := s.db.QueryContext(ctx, `SELECT data FROM `+table+` WHERE arn=? ORDER BY id`, arn)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", table, err)
	}
	defer func() { _ = rs.Close() }()
	var out []T
	for rs.Next() {
		var raw []byte
		if err := rs.Scan(&raw); err != nil {
			return nil, fmt.Errorf("scan %s: %w", table, err)
		}
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, fmt.Errorf("decode %s: %w", table, err)
		}
		out = append(out, v)
	}
	return out, rs.Err()
}

// meta reads a value, or stores and gives the one that make returns.
func (s *store) meta(ctx context.Context, key string, initial []byte) ([]byte, error) {
	if _, err := s.db.ExecContext(ctx, `INSERT INTO states_meta (key,value) VALUES (?,?) ON CONFLICT DO NOTHING`, key, initial); err != nil {
		return nil, fmt.Errorf("store %s: %w", key, err)
	}
	var v []byte
	if err := s.db.QueryRowContext(ctx, `SELECT value FROM states_meta WHERE key=?`, key).Scan(&v); err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return v, nil
}

func (s *store) putDefinition(ctx context.Context, digest string, definition []byte) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO states_definitions (digest,definition) VALUES (?,?) ON CONFLICT DO NOTHING`, digest, definition)
	if err != nil {
		return fmt.Errorf("store definition: %w", err)
	}
	return nil
}

func (s *store) definition(ctx context.Context, digest string) (d []byte, err error) {
	if err := s.db.QueryRowContext(ctx, `SELECT definition FROM states_definitions WHERE digest=?`, digest).Scan(&d); err != nil {
		return nil, fmt.Errorf("read definition %s: %w", digest, err)
	}
	return d, nil
}

// prune deletes executions that ended before a time, a few at a time so that others can write meanwhile.
func (s *store) prune(ctx context.Context, before time.Time) error {
	for {
		rs, err := s.db.QueryContext(ctx, `SELECT arn FROM states_executions WHERE status<>? AND julianday(json_extract(header,'$.stoppedAt')) < julianday(?) LIMIT 100`,
			asl.Running, before.UTC().Format(time.RFC3339Nano))
		if err != nil {
			return fmt.Errorf("find ended executions: %w", err)
		}
		arns, err := texts(rs)
		if err != nil || len(arns) == 0 {
			return err
		}
		if err := s.forget(ctx, arns); err != nil {
			return err
		}
	}
}

func texts(rs *sql.Rows) (out []string, err error) {
	defer func() { _ = rs.Close() }()
	for rs.Next() {
		var text string
		if err := rs.Scan(&text); err != nil {
			return nil, fmt.Errorf("scan text: %w", err)
		}
		out = append(out, text)
	}
	return out, rs.Err()
}

// forget deletes ended executions whole.
func (s *store) forget(ctx context.Context, arns []string) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, arn := range arns {
		for _, table := range []string{"states_events", "states_threads", "states_executions"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE arn=?`, arn); err != nil {
				return fmt.Errorf("forget execution: %w", err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
