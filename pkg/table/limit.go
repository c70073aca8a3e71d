package table

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Limit refuses with errs.Invalid, before any call, what DynamoDB would refuse, so that the limits
// hold on every store. Adapters return their tables wrapped in it.
func Limit(t Table) Table { return limited{t} }

type limited struct{ next Table }

var _ Table = limited{}

// Get checks the key.
func (l limited) Get(ctx context.Context, key Key, c Consistency) (Item, error) {
	if err := checkKey(key, "key"); err != nil {
		return Item{}, err
	}
	return l.next.Get(ctx, key, c)
}

// Query checks the query and fills in the default limit. Bounds that exclude everything give an
// empty page.
func (l limited) Query(ctx context.Context, q Query) (Page, error) {
	if err := checkQuery(q); err != nil {
		return Page{}, err
	}
	if _, err := DecodeCursor(q); err != nil {
		return Page{}, err
	}
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.To != "" && q.From > q.To {
		return Page{}, nil
	}
	return l.next.Query(ctx, q)
}

// Write checks every operation and the whole.
func (l limited) Write(ctx context.Context, token string, ops ...Op) error {
	if err := checkWrite(token, ops); err != nil {
		return err
	}
	return l.next.Write(ctx, token, ops...)
}

func invalid(where, format string, args ...any) error {
	return errs.New(errs.Invalid, format, args...).At(where)
}

func checkKey(k Key, where string) error {
	if err := checkKeyPart(k.PK, MaxPK, where+".PK"); err != nil {
		return err
	}
	return checkKeyPart(k.SK, MaxSK, where+".SK")
}

func checkKeyPart(s string, most int, where string) error {
	switch {
	case s == "":
		return invalid(where, "key is empty")
	case len(s) > most:
		return invalid(where, "key has %d bytes, more than %d", len(s), most)
	case !utf8.ValidString(s):
		return invalid(where, "key is not UTF-8")
	}
	return nil
}

func checkQuery(q Query) error {
	if err := checkKeyPart(q.PK, MaxPK, "query.PK"); err != nil {
		return err
	}
	if err := checkBounds(q); err != nil {
		return err
	}
	switch {
	case q.Index != Primary && q.Index != GSI1 && q.Index != GSI2:
		return invalid("query.Index", "unknown index %q", q.Index)
	case q.Index != Primary && q.Consistency == Consistent:
		return invalid("query.Consistency", "an index cannot be read consistently")
	case q.Limit < 0 || q.Limit > MaxLimit:
		return invalid("query.Limit", "limit %d is not within 0 and %d", q.Limit, MaxLimit)
	}
	return nil
}

func checkBounds(q Query) error {
	for _, bound := range []string{q.Prefix, q.From, q.To} {
		if len(bound) > MaxSK || !utf8.ValidString(bound) {
			return invalid("query", "bound is not UTF-8 of at most %d bytes", MaxSK)
		}
	}
	if q.Prefix != "" && (q.From != "" || q.To != "") {
		return invalid("query.Prefix", "prefix and bounds exclude each other")
	}
	return nil
}

func checkWrite(token string, ops []Op) error {
	most := MaxOps
	if token != "" {
		most-- // the token takes part in the transaction
	}
	switch {
	case len(ops) == 0:
		return invalid("write", "no operations")
	case len(ops) > most:
		return invalid("write", "%d operations, more than %d", len(ops), most)
	case len(token) > MaxToken || !utf8.ValidString(token):
		return invalid("write", "token is not UTF-8 of at most %d bytes", MaxToken)
	}
	seen := make(map[Key]int, len(ops))
	total := 0
	for i, op := range ops {
		where := fmt.Sprintf("op %d", i)
		if first, twice := seen[op.Item.Key]; twice {
			return invalid(where, "same key as operation %d", first)
		}
		seen[op.Item.Key] = i
		if err := checkOp(op, where); err != nil {
			return err
		}
		total += Size(op.Item)
	}
	if total > MaxWrite {
		return invalid("write", "%d bytes in all, more than %d", total, MaxWrite)
	}
	return nil
}

func checkOp(op Op, where string) error {
	if err := checkKey(op.Item.Key, where); err != nil {
		return err
	}
	if err := checkCond(op.If, where); err != nil {
		return err
	}
	switch op.Kind {
	case Put:
		return checkItem(op.Item, where)
	case Add:
		if len(op.Item.Num) == 0 {
			return invalid(where, "nothing to add")
		}
		return checkCounters(op.Item.Num, where)
	case Delete, Check:
		return nil
	}
	return invalid(where, "unknown operation %q", op.Kind)
}

func checkCond(c Cond, where string) error {
	switch c.Kind {
	case Always, NotExists, Exists, RevEq:
		return nil
	case NumEq, NumLT, NumGE:
		return checkCounters(map[string]int64{c.Name: c.Val}, where)
	}
	return invalid(where, "unknown condition %q", c.Kind)
}

func checkItem(it Item, where string) error {
	if err := checkIndexes(it.Idx, where); err != nil {
		return err
	}
	if err := checkCounters(it.Num, where); err != nil {
		return err
	}
	if !it.TTL.IsZero() && it.TTL.Unix() <= 0 {
		return invalid(where, "expiry lies before 1970")
	}
	if n := Size(it); n > MaxItem {
		return invalid(where, "item has %d bytes, more than %d", n, MaxItem)
	}
	if len(it.Body) > 0 && (!utf8.Valid(it.Body) || !json.Valid(it.Body)) {
		return invalid(where, "body is not JSON in UTF-8")
	}
	return nil
}

func checkIndexes(idx map[Index]Key, where string) error {
	for index, key := range idx {
		if index != GSI1 && index != GSI2 {
			return invalid(where, "unknown index %q", index)
		}
		if err := checkKey(key, where+"."+string(index)); err != nil {
			return err
		}
	}
	return nil
}

func checkCounters(num map[string]int64, where string) error {
	for name, n := range num {
		if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
			return invalid(where, "name of a counter is not UTF-8 of 1 to %d bytes", MaxName)
		}
		if n > MaxCounter || n < -MaxCounter {
			return invalid(where, "counter %s is beyond ±%d", name, int64(MaxCounter))
		}
	}
	return nil
}
