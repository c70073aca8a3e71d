package audit

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/table"
)

// Entry is one line of the audit trail: who did what to what, when, why, before and after.
type Entry struct {
	Seq     int64           `json:"seq"` // the event's
	ID      string          `json:"id"`  // "aud_…", to cite
	Time    time.Time       `json:"time"`
	Actor   Actor           `json:"actor"`
	Action  string          `json:"action"` // the event's type
	Subject Subject         `json:"subject"`
	Reason  string          `json:"reason,omitempty"`
	Before  json.RawMessage `json:"before,omitempty"`
	After   json.RawMessage `json:"after,omitempty"`
	Event   string          `json:"event"`          // SHA-256 of the event's canonical JSON, hex
	Hash    string          `json:"hash,omitempty"` // see link
}

// Head is the end of the chain. Kept elsewhere, it is the anchor that shows a cut or rewritten tail.
type Head struct {
	Seq  int64     `json:"seq"` // 0 = nothing committed yet
	Hash string    `json:"hash"`
	Time time.Time `json:"time,omitzero"`
}

// The layout of the records. The head is the one sequencer: its revision moves with every commit.
const (
	eventsPK = "EVENTS"
	auditPK  = "AUDIT"
	eventSK  = "EVENT#"
	entrySK  = "ENTRY#"
	oncePK   = "ONCE#"
	onceSK   = "ONCE"
)

var headKey = table.Key{PK: auditPK, SK: "HEAD"}

func number(prefix string, seq int64) string { return fmt.Sprintf("%s%016d", prefix, seq) }

func eventKey(seq int64) table.Key { return table.Key{PK: eventsPK, SK: number(eventSK, seq)} }
func entryKey(seq int64) table.Key { return table.Key{PK: auditPK, SK: number(entrySK, seq)} }
func onceKey(key string) table.Key { return table.Key{PK: oncePK + key, SK: onceSK} }

// subjectPK is where GSI1 lists the entries about one subject.
func subjectPK(s Subject) string { return "SUBJECT#" + s.Type + "#" + s.ID }

type once struct {
	Seq int64 `json:"seq"`
}

// create puts a new document.
func create(key table.Key, v any) (table.Op, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return table.Op{}, fmt.Errorf("encode %s: %w", key.PK, err)
	}
	it := table.Item{Key: key, Body: raw}
	return table.Op{Kind: table.Put, Item: it, If: table.Cond{Kind: table.NotExists}}, nil
}
