package porttest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// limits tries what must be refused before anything is written.
func limits(t *testing.T, f *fixture) {
	for name, ops := range badWrites() {
		err := f.Write(t.Context(), "", ops...)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), "%s: %v", name, err)
	}
	for name, q := range badQueries() {
		_, err := f.Query(t.Context(), q)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), "%s: %v", name, err)
	}
	_, err := f.Get(t.Context(), key("", "1"), table.Eventual)
	require.Equal(t, errs.Invalid, errs.CodeOf(err))
	err = f.Write(t.Context(), strings.Repeat("t", table.MaxToken+1), add(key("A", "1"), "n", 1))
	require.Equal(t, errs.Invalid, errs.CodeOf(err))
	require.Empty(t, f.all(table.Query{PK: "A"}), "nothing was written")
}

func badWrites() map[string][]table.Op {
	item := func(change func(*table.Item)) []table.Op {
		it := doc(key("A", "1"), `{}`)
		change(&it)
		return []table.Op{put(it, table.Cond{})}
	}
	many := make([]table.Op, table.MaxOps+1)
	for i := range many {
		many[i] = put(doc(key("A", strings.Repeat("k", i+1)), `{}`), table.Cond{})
	}
	big := make([]table.Op, 12)
	for i := range big {
		big[i] = put(doc(key("A", strings.Repeat("k", i+1)), `"`+strings.Repeat("x", 390<<10)+`"`), table.Cond{})
	}
	one := put(doc(key("A", "1"), `{}`), table.Cond{})
	return map[string][]table.Op{
		"no operations":        {},
		"101 operations":       many,
		"more than 4 MB":       big,
		"two on one key":       {one, {Kind: table.Check, Item: table.Item{Key: key("A", "1")}, If: when(table.Exists)}},
		"empty partition":      item(func(it *table.Item) { it.PK = "" }),
		"empty sort key":       item(func(it *table.Item) { it.SK = "" }),
		"long partition":       item(func(it *table.Item) { it.PK = strings.Repeat("p", 2049) }),
		"long sort key":        item(func(it *table.Item) { it.SK = strings.Repeat("s", 1025) }),
		"key not UTF-8":        item(func(it *table.Item) { it.SK = "\xff" }),
		"body not JSON":        item(func(it *table.Item) { it.Body = json.RawMessage(`{`) }),
		"body not UTF-8":       item(func(it *table.Item) { it.Body = json.RawMessage("\"\xff\"") }),
		"item over 400 KB":     item(func(it *table.Item) { it.Body = json.RawMessage(`"` + strings.Repeat("x", 400<<10) + `"`) }),
		"unknown index":        item(func(it *table.Item) { it.Idx = map[table.Index]table.Key{"GSI3": key("X", "x")} }),
		"primary as index":     item(func(it *table.Item) { it.Idx = map[table.Index]table.Key{table.Primary: key("X", "x")} }),
		"empty index key":      item(func(it *table.Item) { it.Idx = map[table.Index]table.Key{table.GSI1: key("X", "")} }),
		"counter without name": item(func(it *table.Item) { it.Num = map[string]int64{"": 1} }),
		"counter too large":    item(func(it *table.Item) { it.Num = map[string]int64{"n": table.MaxCounter + 1} }),
		"expiry before 1970":   item(func(it *table.Item) { it.TTL = time.Unix(-5, 0) }),
		"unknown operation":    {{Kind: "Upsert", Item: one.Item}},
		"unknown condition":    {put(one.Item, when("Maybe"))},
		"condition, no name":   {put(one.Item, when(table.NumEq))},
		"nothing to add":       {{Kind: table.Add, Item: table.Item{Key: key("A", "1")}}},
	}
}

func badQueries() map[string]table.Query {
	return map[string]table.Query{
		"no partition":     {},
		"unknown index":    {PK: "A", Index: "GSI9"},
		"consistent index": {PK: "A", Index: table.GSI1, Consistency: table.Consistent},
		"prefix and from":  {PK: "A", Prefix: "a", From: "b"},
		"limit too large":  {PK: "A", Limit: 1001},
		"negative limit":   {PK: "A", Limit: -1},
		"long prefix":      {PK: "A", Prefix: strings.Repeat("x", 1025)},
		"prefix not UTF-8": {PK: "A", Prefix: "\xff"},
	}
}

// largestItem writes an item of just 400 KB and the longest keys.
func largestItem(t *testing.T, f *fixture) {
	it := doc(key(strings.Repeat("p", table.MaxPK), strings.Repeat("s", table.MaxSK)), `""`)
	it.Num = map[string]int64{"rows": table.MaxCounter}
	it.Idx = map[table.Index]table.Key{table.GSI1: key(strings.Repeat("x", table.MaxPK), strings.Repeat("y", table.MaxSK))}
	it.TTL = f.clock.Now().Add(time.Hour)
	it.Body = json.RawMessage(`"` + strings.Repeat("b", table.MaxItem-table.Size(it)) + `"`)
	require.Equal(t, table.MaxItem, table.Size(it))
	f.put(it)
	require.Equal(t, it.Body, f.get(it.Key).Body)
}
