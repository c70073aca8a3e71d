package table

import (
	"context"
	"encoding/json"
	"fmt"
)

// Load reads one record consistently into a T. A field tagged "rev" gets the item's revision.
func Load[T any](ctx context.Context, t Table, key Key) (T, error) {
	it, err := t.Get(ctx, key, Consistent)
	if err != nil {
		var zero T
		return zero, err
	}
	return Decode[T](it)
}

// Decode turns an item's body into a T. A field tagged "rev" gets the item's revision.
func Decode[T any](it Item) (T, error) {
	var v T
	if err := json.Unmarshal(it.Body, &v); err != nil {
		return v, fmt.Errorf("decode %s %s: %w", it.PK, it.SK, err)
	}
	err := json.Unmarshal(fmt.Appendf(nil, `{"rev":%d}`, it.Rev), &v)
	return v, err
}

// List reads a page of records and the cursor to the next one.
func List[T any](ctx context.Context, t Table, q Query) ([]T, string, error) {
	page, err := t.Query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	out := make([]T, len(page.Items))
	for i, it := range page.Items {
		if out[i], err = Decode[T](it); err != nil {
			return nil, "", err
		}
	}
	return out, page.Next, nil
}

// All reads every record of a query.
func All[T any](ctx context.Context, t Table, q Query) ([]T, error) {
	all := []T{}
	for {
		some, next, err := List[T](ctx, t, q)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if next == "" {
			return all, nil
		}
		q.Cursor = next
	}
}

// Save makes the operation that writes v under key: a creation when rev is 0, else a replacement of
// exactly that revision. It panics when v cannot be JSON, which is a programming error.
func Save(key Key, v any, rev int64, idx map[Index]Key) Op {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("table: save %s %s: %v", key.PK, key.SK, err))
	}
	cond := Cond{Kind: RevEq, Val: rev}
	if rev == 0 {
		cond = Cond{Kind: NotExists}
	}
	return Op{Kind: Put, Item: Item{Key: key, Idx: idx, Body: body}, If: cond}
}
