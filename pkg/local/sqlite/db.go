// Package sqlite keeps the records of a one-machine platform in one SQLite file: it implements
// table.Table and shares its file with the other local adapters.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver, in Go without cgo

	"github.com/perennial-llm/perennial/pkg/errs"
)

// DB is one SQLite file in WAL mode: one connection writes, some read. A commit is on disk before
// the write returns (synchronous=FULL).
type DB struct {
	write *sql.DB
	read  *sql.DB
	temp  string // folder to remove at Close; empty for a lasting file
}

const schema = `
CREATE TABLE IF NOT EXISTS items (
  pk TEXT NOT NULL, sk TEXT NOT NULL, body BLOB, num TEXT, rev INTEGER NOT NULL, ttl INTEGER,
  g1p TEXT, g1s TEXT, g2p TEXT, g2s TEXT, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_gsi1 ON items (g1p, g1s, pk, sk) WHERE g1p IS NOT NULL;
CREATE INDEX IF NOT EXISTS items_gsi2 ON items (g2p, g2s, pk, sk) WHERE g2p IS NOT NULL;
CREATE INDEX IF NOT EXISTS items_ttl ON items (ttl) WHERE ttl IS NOT NULL;
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, hash BLOB NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_expires ON tokens (expires);`

// Open opens the file at path, creating it and its folder when absent.
func Open(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, errs.New(errs.Unavailable, "make the data folder: %w", err).At(path)
	}
	return open(path, "FULL")
}

// OpenTemp opens a new file that lives until Close and does not wait for the disk. For tests.
func OpenTemp() (*DB, error) {
	dir, err := os.MkdirTemp("", "perennial-sqlite-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	db, err := open(filepath.Join(dir, "temp.db"), "OFF")
	if err != nil {
		return nil, err
	}
	db.temp = dir
	return db, nil
}

func open(path, sync string) (*DB, error) {
	db := &DB{}
	var err error
	if db.write, err = connect(path, sync, "immediate", 1); err != nil {
		return nil, err
	}
	if _, err := db.write.Exec(schema); err != nil {
		return nil, explainOpen(path, err)
	}
	if db.read, err = connect(path, sync, "deferred", 4); err != nil {
		return nil, err
	}
	return db, nil
}

func connect(path, sync, lock string, most int) (*sql.DB, error) {
	pragmas := url.Values{"_txlock": {lock}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(" + sync + ")", "foreign_keys(1)",
	}}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+pragmas.Encode())
	if err != nil {
		return nil, explainOpen(path, err)
	}
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	if err := pool.Ping(); err != nil {
		return nil, explainOpen(path, err)
	}
	return pool, nil
}

func explainOpen(path string, err error) error {
	return errs.New(errs.Unavailable, "the database cannot be opened: %w", err).At(path).
		Mend("see that the folder is writable, has free space and that the file is a database of this platform")
}

// SQL is the one writing connection, for the other local adapters: their tables live in the same
// file. Transactions begin IMMEDIATE. It is one connection: close rows and end transactions before
// the next statement, or it waits for itself.
func (db *DB) SQL() *sql.DB { return db.write }

// Reader is a pool for reading; it sees each commit as soon as it returned and never waits for a writer.
func (db *DB) Reader() *sql.DB { return db.read }

// Sweep removes what has expired and gives the number of items removed. The port hides expired
// items by itself; sweeping only frees their space.
func (db *DB) Sweep(ctx context.Context, now time.Time) (int64, error) {
	if _, err := db.write.ExecContext(ctx, `DELETE FROM tokens WHERE expires <= ?`, now.Unix()); err != nil {
		return 0, classify("sweep tokens", err)
	}
	res, err := db.write.ExecContext(ctx, `DELETE FROM items WHERE ttl <= ?`, now.Unix())
	if err != nil {
		return 0, classify("sweep items", err)
	}
	return res.RowsAffected()
}

// Empty says whether the file holds no record at all.
func (db *DB) Empty(ctx context.Context) (empty bool, err error) {
	if err = db.read.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM items)`).Scan(&empty); err != nil {
		return false, classify("look for records", err)
	}
	return empty, nil
}

// Close closes the file.
func (db *DB) Close() error {
	err := db.read.Close()
	if werr := db.write.Close(); err == nil {
		err = werr
	}
	if db.temp != "" {
		_ = os.RemoveAll(db.temp)
	}
	return err
}
