package table

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Position is the last item of a page: its primary key and, when read through an index, its key there.
type Position struct {
	Key   Key `json:"k"`
	Index Key `json:"i,omitzero"`
}

type cursor struct {
	Query []byte   `json:"q"` // digest of the query that it belongs to
	Last  Position `json:"p"`
}

// EncodeCursor makes Page.Next: opaque text that goes on after the position in the same query.
func EncodeCursor(q Query, last Position) string {
	raw, err := json.Marshal(cursor{Query: fingerprint(q), Last: last})
	if err != nil {
		panic(err) // strings and bytes always marshal
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// DecodeCursor gives the position in q.Cursor; nil when there is none. A cursor that is damaged or
// belongs to another query is errs.Invalid.
func DecodeCursor(q Query) (*Position, error) {
	if q.Cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return nil, badCursor("is damaged")
	}
	var c cursor
	if err := json.Unmarshal(raw, &c); err != nil || !c.Last.within(q) {
		return nil, badCursor("is damaged")
	}
	if string(c.Query) != string(fingerprint(q)) {
		return nil, badCursor("belongs to another query")
	}
	return &c.Last, nil
}

// within tells whether an item at the position could be an answer to the query.
func (p Position) within(q Query) bool {
	at := p.Key
	if q.Index != Primary {
		at = p.Index
	} else if p.Index != (Key{}) {
		return false
	}
	if checkKey(p.Key, "") != nil || checkKey(at, "") != nil || at.PK != q.PK {
		return false
	}
	return strings.HasPrefix(at.SK, q.Prefix) && at.SK >= q.From && (q.To == "" || at.SK <= q.To)
}

func badCursor(what string) error {
	return errs.New(errs.Invalid, "cursor %s", what).At("cursor").Mend("start again from the first page")
}

// fingerprint covers everything that the order and the extent of a query depend on.
func fingerprint(q Query) []byte {
	raw, err := json.Marshal([]any{q.Index, q.PK, q.Prefix, q.From, q.To, q.Descending})
	if err != nil {
		panic(err) // strings and booleans always marshal
	}
	sum := sha256.Sum256(raw)
	return sum[:9]
}
