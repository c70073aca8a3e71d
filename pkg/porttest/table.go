package porttest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// OpenTable gives an empty table that goes by the clock.
type OpenTable func(t *testing.T, clock ids.Clock) table.Table

// Table is the conformance suite of table.Table.
func Table(t *testing.T, open OpenTable) {
	cases := map[string]func(*testing.T, *fixture){
		"Get/absent":                  getAbsent,
		"Put/keeps every part":        putKeeps,
		"Put/replaces the whole":      putReplaces,
		"Put/revision":                putRevision,
		"Delete":                      deleteItem,
		"Add/creates and counts":      addCounts,
		"Add/keeps the rest":          addKeeps,
		"Conditions":                  conditions,
		"Write/all or none":           allOrNone,
		"Write/names what failed":     namesFailed,
		"Write/hundred operations":    hundredOps,
		"Write/concurrent counters":   concurrentAdds,
		"Write/concurrent revisions":  concurrentRevs,
		"Token/replay is a no-op":     tokenReplay,
		"Token/other write":           tokenOther,
		"Token/expires":               tokenExpires,
		"Token/failed write":          tokenFailed,
		"Expiry":                      expiry,
		"Expiry/write starts anew":    expiryAnew,
		"Query/byte order":            queryOrder,
		"Query/prefix":                queryPrefix,
		"Query/bounds":                queryBounds,
		"Query/pages":                 queryPages,
		"Query/page of a mebibyte":    queryBigPages,
		"Query/foreign cursor":        queryForeignCursor,
		"Query/expired items":         queryExpired,
		"Index/sparse and moving":     indexMoves,
		"Index/pages with equal keys": indexPages,
		"Limits":                      limits,
		"Limits/largest item":         largestItem,
		"Text/any UTF-8":              anyText,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			run(t, &fixture{T: t, clock: clock, Table: open(t, clock.Now)})
		})
	}
}

type fixture struct {
	*testing.T
	table.Table
	clock *Clock
}

func key(pk, sk string) table.Key { return table.Key{PK: pk, SK: sk} }

func doc(k table.Key, body string) table.Item {
	return table.Item{Key: k, Body: json.RawMessage(body)}
}

func put(it table.Item, c table.Cond) table.Op { return table.Op{Kind: table.Put, Item: it, If: c} }

func when(kind table.CondKind) table.Cond { return table.Cond{Kind: kind} }

func (f *fixture) write(ops ...table.Op) {
	f.Helper()
	require.NoError(f, f.Write(context.Background(), "", ops...))
}

func (f *fixture) put(items ...table.Item) {
	f.Helper()
	for _, it := range items {
		f.write(put(it, table.Cond{}))
	}
}

func (f *fixture) get(k table.Key) table.Item {
	f.Helper()
	it, err := f.Get(context.Background(), k, table.Consistent)
	require.NoError(f, err)
	return it
}

func (f *fixture) absent(k table.Key) {
	f.Helper()
	_, err := f.Get(context.Background(), k, table.Consistent)
	require.Equal(f, errs.NotFound, errs.CodeOf(err), "%v", err)
}

// all reads every page and gives the sort keys in the order of the query.
func (f *fixture) all(q table.Query) []string {
	f.Helper()
	sks := []string{}
	for pages := 0; ; pages++ {
		require.Less(f, pages, 1000, "the pages have no end")
		page, err := f.Query(context.Background(), q)
		require.NoError(f, err)
		if q.Limit > 0 {
			require.LessOrEqual(f, len(page.Items), q.Limit)
		}
		for _, it := range page.Items {
			sks = append(sks, it.SK)
		}
		if page.Next == "" {
			return sks
		}
		q.Cursor = page.Next
	}
}

// settles reads an index until it gives what is wanted: indexes are eventually consistent.
func (f *fixture) settles(want []string, q table.Query) {
	f.Helper()
	require.Eventually(f, func() bool {
		return strings.Join(f.all(q), "\n") == strings.Join(want, "\n")
	}, 10*time.Second, 5*time.Millisecond, "index never gave %v", want)
}

func getAbsent(t *testing.T, f *fixture) {
	_, err := f.Get(t.Context(), key("A", "1"), table.Eventual)
	require.Equal(t, errs.NotFound, errs.CodeOf(err))
}

func putKeeps(t *testing.T, f *fixture) {
	want := table.Item{
		Key: key("A", "1"), Body: json.RawMessage(`{ "z":1.50, "a":"ü" }`),
		Idx: map[table.Index]table.Key{table.GSI1: key("X", "x"), table.GSI2: key("Y", "y")},
		Num: map[string]int64{"rows": 7, "low": -table.MaxCounter, "high": table.MaxCounter, "zero": 0},
		TTL: f.clock.Now().Add(time.Hour).Truncate(time.Second), Rev: 99,
	}
	f.put(want)
	want.Rev = 1
	require.Equal(t, want, f.get(want.Key))
}

func putReplaces(t *testing.T, f *fixture) {
	first := doc(key("A", "1"), `{}`)
	first.Num = map[string]int64{"rows": 1}
	first.Idx = map[table.Index]table.Key{table.GSI1: key("X", "x")}
	first.TTL = f.clock.Now().Add(time.Hour)
	f.put(first, table.Item{Key: first.Key})
	require.Equal(t, table.Item{Key: first.Key, Rev: 2}, f.get(first.Key))
}

func putRevision(t *testing.T, f *fixture) {
	k := key("A", "1")
	for want := int64(1); want <= 3; want++ {
		f.put(doc(k, `{}`))
		require.Equal(t, want, f.get(k).Rev)
	}
	f.write(table.Op{Kind: table.Delete, Item: table.Item{Key: k}})
	f.put(doc(k, `{}`))
	require.Equal(t, int64(1), f.get(k).Rev, "a new item begins at 1")
}

func deleteItem(t *testing.T, f *fixture) {
	k := key("A", "1")
	f.write(table.Op{Kind: table.Delete, Item: table.Item{Key: k}})
	f.put(doc(k, `{}`))
	f.write(table.Op{Kind: table.Delete, Item: table.Item{Key: k}})
	f.absent(k)
}

func add(k table.Key, name string, n int64) table.Op {
	return table.Op{Kind: table.Add, Item: table.Item{Key: k, Num: map[string]int64{name: n}}}
}

func addCounts(t *testing.T, f *fixture) {
	k := key("A", "1")
	f.write(add(k, "rows", 5))
	f.write(add(k, "rows", -7))
	f.write(add(k, "bytes", 3))
	require.Equal(t, table.Item{Key: k, Rev: 3, Num: map[string]int64{"rows": -2, "bytes": 3}}, f.get(k))
}

func addKeeps(t *testing.T, f *fixture) {
	it := doc(key("A", "1"), `{"a":1}`)
	it.Idx = map[table.Index]table.Key{table.GSI2: key("Y", "y")}
	it.TTL = f.clock.Now().Add(time.Hour)
	it.Num = map[string]int64{"other": 1}
	f.put(it)
	f.write(add(it.Key, "rows", 2))
	it.Num = map[string]int64{"other": 1, "rows": 2}
	it.Rev = 2
	require.Equal(t, it, f.get(it.Key))
}

func requireCanceled(t *testing.T, err error, failed ...int) {
	t.Helper()
	var canceled *table.CanceledError
	require.ErrorAs(t, err, &canceled)
	require.Equal(t, failed, canceled.Failed)
	require.Equal(t, errs.Conflict, errs.CodeOf(err))
}

func allOrNone(t *testing.T, f *fixture) {
	f.put(doc(key("A", "old"), `{"v":1}`))
	err := f.Write(t.Context(), "",
		put(doc(key("A", "new"), `{}`), when(table.NotExists)),
		add(key("A", "count"), "n", 1),
		table.Op{Kind: table.Delete, Item: table.Item{Key: key("A", "old")}},
		table.Op{Kind: table.Check, Item: table.Item{Key: key("B", "lease")}, If: when(table.Exists)},
	)
	requireCanceled(t, err, 3)
	require.Equal(t, []string{"old"}, f.all(table.Query{PK: "A", Consistency: table.Consistent}))
}

func namesFailed(t *testing.T, f *fixture) {
	f.put(doc(key("A", "1"), `{}`))
	err := f.Write(t.Context(), "",
		put(doc(key("A", "1"), `{}`), when(table.NotExists)),
		put(doc(key("A", "2"), `{}`), table.Cond{}),
		table.Op{Kind: table.Check, Item: table.Item{Key: key("A", "3")}, If: when(table.Exists)},
	)
	requireCanceled(t, err, 0, 2)
}

func hundredOps(t *testing.T, f *fixture) {
	ops := make([]table.Op, table.MaxOps)
	for i := range ops {
		ops[i] = put(doc(key("A", fmt.Sprintf("%03d", i)), `{}`), when(table.NotExists))
	}
	f.write(ops...)
	require.Len(t, f.all(table.Query{PK: "A", Limit: 1000}), table.MaxOps)
	for i := range ops {
		ops[i].Item.PK = "B"
	}
	for range 2 {
		require.NoError(t, f.Write(t.Context(), "token", ops[1:]...), "99 with a token, and again")
	}
	require.Equal(t, errs.Invalid, errs.CodeOf(f.Write(t.Context(), "token2", ops...)), "the token takes part")
}

func concurrentAdds(t *testing.T, f *fixture) {
	k := key("A", "count")
	f.inParallel(8, func(int) {
		for range 5 {
			require.NoError(t, f.Write(t.Context(), "", add(k, "n", 1)))
		}
	})
	require.Equal(t, int64(40), f.get(k).Num["n"])
	require.Equal(t, int64(40), f.get(k).Rev)
}

// concurrentRevs has writers replace the same revision: exactly one of each round wins.
func concurrentRevs(t *testing.T, f *fixture) {
	k := key("A", "state")
	f.put(doc(k, `{}`))
	for round := int64(1); round <= 5; round++ {
		var mu sync.Mutex
		won := 0
		f.inParallel(6, func(int) {
			err := f.Write(t.Context(), "", put(doc(k, `{}`), table.Cond{Kind: table.RevEq, Val: round}))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else {
				requireCanceled(t, err, 0)
			}
		})
		require.Equal(t, 1, won)
		require.Equal(t, round+1, f.get(k).Rev)
	}
}

func (f *fixture) inParallel(n int, work func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { work(i) })
	}
	wg.Wait()
}
