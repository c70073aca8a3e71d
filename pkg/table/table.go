// Package table is the one port for all records. It maps one to one on DynamoDB (single-table
// design) and on SQLite; the limits of DynamoDB hold on both sides (see Limit).
package table

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Key is the primary key, or a key in an index. Partition: 1–2048 bytes, sort: 1–1024 bytes, UTF-8;
// sort keys order by bytes.
type Key struct{ PK, SK string }

// Index names a secondary index. Reads through an index are eventually consistent.
type Index string

// The secondary indexes.
const (
	Primary Index = ""
	GSI1    Index = "GSI1"
	GSI2    Index = "GSI2"
)

// Item is one record.
type Item struct {
	Key
	Idx  map[Index]Key    // sparse: only the indexes that the item is in
	Body json.RawMessage  // opaque document
	Num  map[string]int64 // counters and fences, changed by Add
	Rev  int64            // set by the port: 1 on the first write, +1 on each following one
	TTL  time.Time        // the item is gone from then on (whole seconds); zero = never
}

// CondKind is a kind of condition.
type CondKind string

// The conditions. An expired item counts as absent.
const (
	Always    CondKind = ""
	NotExists CondKind = "NotExists"
	Exists    CondKind = "Exists"
	RevEq     CondKind = "RevEq" // Val is the revision
	NumEq     CondKind = "NumEq" // Name, Val; an absent counter is not equal to anything
	NumLT     CondKind = "NumLT"
	NumGE     CondKind = "NumGE"
)

// Cond is what must hold for an operation.
type Cond struct {
	Kind CondKind
	Name string
	Val  int64
}

// OpKind is a kind of operation.
type OpKind string

// The operations.
const (
	Put    OpKind = "Put"    // replace or create the whole item
	Delete OpKind = "Delete" // remove; removing what is not there is no error
	Check  OpKind = "Check"  // only the condition
	Add    OpKind = "Add"    // add Item.Num to the counters, creating the item when absent
)

// Op is one operation of a transaction.
type Op struct {
	Kind OpKind
	Item Item // Delete and Check use the key only; Add the key and Num
	If   Cond
}

// Consistency of a read.
type Consistency bool

// The consistencies. Index reads are always Eventual.
const (
	Eventual   Consistency = false
	Consistent Consistency = true
)

// Query reads one partition in order of sort keys.
type Query struct {
	Index       Index
	PK          string
	Prefix      string // sort keys that begin with this; excludes From and To
	From, To    string // inclusive bounds; empty = open
	Descending  bool
	Limit       int    // 1–1000; 0 = 100
	Cursor      string // Page.Next of the same query
	Consistency Consistency
}

// Page is one page of a query. It may be empty and still have a Next.
type Page struct {
	Items []Item
	Next  string // empty at the end
}

// Table is the port.
type Table interface {
	// Get reads one item; errs.NotFound when absent or expired.
	Get(ctx context.Context, key Key, c Consistency) (Item, error)
	// Query reads a page.
	Query(ctx context.Context, q Query) (Page, error)
	// Write applies all operations or none. A failed condition is a *CanceledError. The token makes a
	// retry of the same write within ten minutes a no-op; with other operations it is errs.Conflict.
	// An empty token means no such protection.
	Write(ctx context.Context, token string, ops ...Op) error
}

// CanceledError tells which operations' conditions failed. It matches errs.Conflict through errors.As.
type CanceledError struct {
	Failed []int // indexes into the operations
}

// Error names the operations whose conditions failed.
func (e *CanceledError) Error() string {
	return fmt.Sprintf("write canceled: condition of operation %v does not hold", e.Failed)
}

// Unwrap lets errs.CodeOf see a conflict.
func (e *CanceledError) Unwrap() error {
	return errs.New(errs.Conflict, "%s", "state changed meanwhile")
}
