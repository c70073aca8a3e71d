// Package audit is the one write path: every change of state is one transaction of the state
// itself, an event, an audit entry in a hash chain, and an idempotency row. Effects run after it.
package audit

import (
	"context"
	"encoding/json"
	"time"

	"github.com/perennial-llm/perennial/pkg/table"
)

// Actor is who did it: a user, a service account or the platform itself.
type Actor struct {
	ID   string `json:"id"`             // "usr_…", "key_…" or "system:<part>"
	Name string `json:"name,omitempty"` // as shown
}

// System gives the actor for a part of the platform itself, such as "trigger".
func System(part string) Actor { return Actor{ID: "system:" + part, Name: part} }

// Subject is what an event is about.
type Subject struct {
	Type string `json:"type"` // "run", "datasetVersion", …
	ID   string `json:"id"`
}

// Change is one change of state.
type Change struct {
	Actor   Actor
	Type    string // event type, PascalCase past tense: "RunStarted"
	Subject Subject
	Reason  string          // why, in the actor's words; may be empty
	Data    any             // event payload, marshaled; may be nil
	Before  json.RawMessage // for the audit entry; may be nil
	After   json.RawMessage
	Ops     []table.Op // the state, each with its condition; at most 90
	// Key makes the change idempotent: a second Commit with the same Key does nothing and returns the
	// first one's event. Empty = not idempotent.
	Key string
}

// Event is a committed change, as consumers see it.
type Event struct {
	Seq     int64           `json:"seq"` // total order, from 1
	Type    string          `json:"type"`
	Time    time.Time       `json:"time"`
	Actor   Actor           `json:"actor"`
	Subject Subject         `json:"subject"`
	Reason  string          `json:"reason,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Committer is what the rest of the core needs of this package.
type Committer interface {
	// Commit writes the change; a failed state condition is a *table.CanceledError whose indexes refer to Ops.
	Commit(ctx context.Context, c Change) (Event, error)
}

// Feed reads events in order.
type Feed interface {
	// After gives at most limit events with a sequence number greater than seq, in order.
	After(ctx context.Context, seq int64, limit int) ([]Event, error)
}
