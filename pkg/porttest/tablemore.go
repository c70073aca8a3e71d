package porttest

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

func tokenReplay(t *testing.T, f *fixture) {
	op := add(key("A", "1"), "n", 1)
	for range 3 {
		require.NoError(t, f.Write(t.Context(), "once", op))
		f.clock.Advance(time.Minute)
	}
	require.Equal(t, int64(1), f.get(key("A", "1")).Num["n"])
}

func tokenOther(t *testing.T, f *fixture) {
	require.NoError(t, f.Write(t.Context(), "once", add(key("A", "1"), "n", 1)))
	err := f.Write(t.Context(), "once", add(key("A", "1"), "n", 2))
	require.Equal(t, errs.Conflict, errs.CodeOf(err))
	var canceled *table.CanceledError
	require.NotErrorAs(t, err, &canceled, "no condition failed")
}

func tokenExpires(t *testing.T, f *fixture) {
	for range 2 {
		require.NoError(t, f.Write(t.Context(), "once", add(key("A", "1"), "n", 1)))
		f.clock.Advance(10 * time.Minute)
	}
	require.Equal(t, int64(2), f.get(key("A", "1")).Num["n"])
}

func tokenFailed(t *testing.T, f *fixture) {
	op := put(doc(key("A", "1"), `{}`), when(table.Exists))
	requireCanceled(t, f.Write(t.Context(), "once", op), 0)
	f.put(doc(key("A", "1"), `{"v":1}`))
	require.NoError(t, f.Write(t.Context(), "once", op), "a write that failed has not used its token")
}

func expiry(t *testing.T, f *fixture) {
	it := doc(key("A", "1"), `{}`)
	it.TTL = f.clock.Now().Add(10 * time.Second)
	f.put(it)
	f.clock.Advance(10*time.Second - time.Millisecond)
	f.get(it.Key)
	f.clock.Advance(time.Millisecond)
	f.absent(it.Key)
	for _, kind := range []table.CondKind{table.Exists, table.RevEq} {
		c := table.Cond{Kind: kind, Val: 1}
		requireCanceled(t, f.Write(t.Context(), "", table.Op{Kind: table.Check, Item: table.Item{Key: it.Key}, If: c}), 0)
	}
	f.write(table.Op{Kind: table.Check, Item: table.Item{Key: it.Key}, If: when(table.NotExists)})
}

func expiryAnew(t *testing.T, f *fixture) {
	for i, op := range []table.Op{
		put(doc(key("A", "0"), `{}`), when(table.NotExists)),
		put(doc(key("A", "1"), `{}`), table.Cond{}),
		add(key("A", "2"), "n", 1),
	} {
		old := doc(op.Item.Key, `{"old":true}`)
		old.Num = map[string]int64{"n": 5}
		old.TTL = f.clock.Now().Add(time.Second)
		f.put(old)
		f.clock.Advance(time.Second)
		f.write(op)
		it := f.get(op.Item.Key)
		require.Equal(t, int64(1), it.Rev, "operation %d", i)
		require.NotEqual(t, old.Body, it.Body)
		require.Equal(t, op.Item.Num["n"], it.Num["n"])
		require.Zero(t, it.TTL)
	}
}

func (f *fixture) fill(pk string, sks ...string) {
	f.Helper()
	for _, sk := range sks {
		f.put(doc(key(pk, sk), `{}`))
	}
}

var disorderly = []string{"b", "a", "B", "a/", "a-b", "a/b", "ab", "é", "z", "0", "10", "2", "~", "日本", "𝄞", "\uffff"}

func queryOrder(t *testing.T, f *fixture) {
	f.fill("A", disorderly...)
	f.fill("AA", "other")
	want := append([]string{}, disorderly...)
	sort.Strings(want) // Go compares by bytes
	require.Equal(t, want, f.all(table.Query{PK: "A"}))
	sort.Sort(sort.Reverse(sort.StringSlice(want)))
	require.Equal(t, want, f.all(table.Query{PK: "A", Descending: true, Limit: 3}))
	require.Empty(t, f.all(table.Query{PK: "none"}))
}

func queryPrefix(t *testing.T, f *fixture) {
	f.fill("A", "EVENT#1", "EVENT#2", "EVENT", "EVENU", "EVENT$", "event#1", "EVENT#\U0010ffff")
	require.Equal(t, []string{"EVENT#1", "EVENT#2", "EVENT#\U0010ffff"}, f.all(table.Query{PK: "A", Prefix: "EVENT#"}))
	require.Equal(t, []string{"EVENT#\U0010ffff"}, f.all(table.Query{PK: "A", Prefix: "EVENT#\U0010ffff"}))
	require.Empty(t, f.all(table.Query{PK: "A", Prefix: "F"}))
}

func queryBounds(t *testing.T, f *fixture) {
	f.fill("A", "1", "2", "3", "4")
	for _, c := range []struct{ from, to, want string }{
		{"2", "3", "23"}, {"2", "", "234"}, {"", "3", "123"}, {"25", "35", "3"}, {"3", "2", ""}, {"5", "", ""}, {"2", "2", "2"},
	} {
		got := f.all(table.Query{PK: "A", From: c.from, To: c.to, Limit: 2})
		require.Equal(t, c.want, strings.Join(got, ""), "%q to %q", c.from, c.to)
	}
	require.Equal(t, []string{"3", "2"}, f.all(table.Query{PK: "A", From: "2", To: "3", Descending: true}))
}

func queryPages(t *testing.T, f *fixture) {
	f.fill("A", "1", "2", "3", "4", "5")
	for limit := 1; limit <= 6; limit++ {
		for _, down := range []bool{false, true} {
			want := []string{"1", "2", "3", "4", "5"}
			if down {
				want = []string{"5", "4", "3", "2", "1"}
			}
			require.Equal(t, want, f.all(table.Query{PK: "A", Limit: limit, Descending: down}), "limit %d", limit)
		}
	}
	page, err := f.Query(t.Context(), table.Query{PK: "A", Limit: 2})
	require.NoError(t, err)
	f.write(table.Op{Kind: table.Delete, Item: table.Item{Key: key("A", "2")}})
	require.Equal(t, []string{"3", "4", "5"}, f.all(table.Query{PK: "A", Limit: 2, Cursor: page.Next}), "the item at the cursor may go")
}

func queryBigPages(t *testing.T, f *fixture) {
	body := `"` + strings.Repeat("x", 300<<10) + `"`
	for i := range 7 {
		f.put(doc(key("A", fmt.Sprint(i)), body))
	}
	page, err := f.Query(t.Context(), table.Query{PK: "A"})
	require.NoError(t, err)
	require.NotEmpty(t, page.Next)
	require.LessOrEqual(t, len(page.Items), 4)
	require.Equal(t, strings.Split("0123456", ""), f.all(table.Query{PK: "A"}))
}

func queryForeignCursor(t *testing.T, f *fixture) {
	f.fill("A", "1", "2")
	f.fill("B", "1", "2")
	q := table.Query{PK: "A", Limit: 1}
	page, err := f.Query(t.Context(), q)
	require.NoError(t, err)
	for name, other := range map[string]table.Query{
		"other partition": {PK: "B"}, "other direction": {PK: "A", Descending: true}, "other prefix": {PK: "A", Prefix: "1"},
		"other index": {PK: "A", Index: table.GSI1},
	} {
		other.Cursor = page.Next
		_, err := f.Query(t.Context(), other)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), name)
	}
	q.Cursor = "nonsense"
	_, err = f.Query(t.Context(), q)
	require.Equal(t, errs.Invalid, errs.CodeOf(err))
}

func queryExpired(t *testing.T, f *fixture) {
	for _, sk := range []string{"1", "2", "3", "4"} {
		it := doc(key("A", sk), `{}`)
		it.Idx = map[table.Index]table.Key{table.GSI1: key("X", sk)}
		if sk != "4" {
			it.TTL = f.clock.Now().Add(time.Second)
		}
		f.put(it)
	}
	f.clock.Advance(time.Second)
	require.Equal(t, []string{"4"}, f.all(table.Query{PK: "A", Limit: 2}))
	f.settles([]string{"4"}, table.Query{Index: table.GSI1, PK: "X", Limit: 2})
}

func indexMoves(_ *testing.T, f *fixture) {
	it := doc(key("A", "1"), `{}`)
	it.Idx = map[table.Index]table.Key{table.GSI1: key("OPEN", "5"), table.GSI2: key("Y", "1")}
	f.put(it, doc(key("A", "2"), `{}`))
	f.settles([]string{"1"}, table.Query{Index: table.GSI1, PK: "OPEN", Prefix: "5"})
	f.settles([]string{"1"}, table.Query{Index: table.GSI2, PK: "Y"})
	it.Idx = map[table.Index]table.Key{table.GSI1: key("DONE", "5")}
	f.put(it)
	f.settles([]string{"1"}, table.Query{Index: table.GSI1, PK: "DONE", From: "5", To: "5"})
	f.settles([]string{}, table.Query{Index: table.GSI1, PK: "OPEN"})
	f.settles([]string{}, table.Query{Index: table.GSI2, PK: "Y"})
	f.write(table.Op{Kind: table.Delete, Item: table.Item{Key: it.Key}})
	f.settles([]string{}, table.Query{Index: table.GSI1, PK: "DONE"})
}

func indexPages(t *testing.T, f *fixture) {
	var want []string
	for i := range 9 {
		it := doc(key(fmt.Sprint("P", i%2), fmt.Sprint(i)), `{}`)
		it.Idx = map[table.Index]table.Key{table.GSI1: key("X", fmt.Sprint("k", i/3))}
		f.put(it)
		want = append(want, it.SK)
	}
	q := table.Query{Index: table.GSI1, PK: "X", Limit: 2}
	require.Eventually(t, func() bool {
		got := f.all(q)
		sort.Strings(got) // the order among equal index keys is the store's own
		return strings.Join(got, "") == strings.Join(want, "")
	}, 10*time.Second, 5*time.Millisecond)
}

func anyText(t *testing.T, f *fixture) {
	for _, s := range []string{"a b", "quote\"'`", "%_*?", "tab\tnewline\n", "\u0000nul", "ünï", "#:name", "../x"} {
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		it := doc(key(s, s), string(raw))
		it.Num = map[string]int64{s: 1}
		f.put(it)
		it.Rev = 1
		require.Equal(t, it, f.get(it.Key))
		require.Equal(t, []string{s}, f.all(table.Query{PK: s, Prefix: s}))
	}
}
