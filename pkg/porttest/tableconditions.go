package porttest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/table"
)

func conditions(t *testing.T, f *fixture) {
	here, gone := key("A", "here"), key("A", "gone")
	it := doc(here, `{}`)
	it.Num = map[string]int64{"n": 5}
	f.put(it)
	num := func(kind table.CondKind, name string, v int64) table.Cond {
		return table.Cond{Kind: kind, Name: name, Val: v}
	}
	for _, c := range []struct {
		cond             table.Cond
		ifHere, ifAbsent bool
	}{
		{when(table.Always), true, true},
		{when(table.NotExists), false, true},
		{when(table.Exists), true, false},
		{table.Cond{Kind: table.RevEq, Val: 1}, true, false},
		{table.Cond{Kind: table.RevEq, Val: 2}, false, false},
		{table.Cond{Kind: table.RevEq, Val: 0}, false, false},
		{num(table.NumEq, "n", 5), true, false},
		{num(table.NumEq, "n", 4), false, false},
		{num(table.NumEq, "other", 0), false, false},
		{num(table.NumLT, "n", 6), true, false},
		{num(table.NumLT, "n", 5), false, false},
		{num(table.NumLT, "other", 5), false, false},
		{num(table.NumGE, "n", 5), true, false},
		{num(table.NumGE, "n", 6), false, false},
		{num(table.NumGE, "other", -5), false, false},
	} {
		for k, want := range map[table.Key]bool{here: c.ifHere, gone: c.ifAbsent} {
			err := f.Write(t.Context(), "", table.Op{Kind: table.Check, Item: table.Item{Key: k}, If: c.cond})
			require.Equal(t, want, err == nil, "%+v on %s: %v", c.cond, k.SK, err)
			if !want {
				requireCanceled(t, err, 0)
			}
		}
	}
	f.absent(gone)
	conditionsOnWrites(t, f, here, gone)
}

func conditionsOnWrites(t *testing.T, f *fixture, here, gone table.Key) {
	for _, op := range []table.Op{
		put(doc(gone, `{}`), when(table.Exists)),
		put(doc(here, `{}`), when(table.NotExists)),
		{Kind: table.Delete, Item: table.Item{Key: gone}, If: when(table.Exists)},
		{Kind: table.Delete, Item: table.Item{Key: here}, If: table.Cond{Kind: table.RevEq, Val: 9}},
		{Kind: table.Add, Item: table.Item{Key: gone, Num: map[string]int64{"n": 1}}, If: when(table.Exists)},
		{Kind: table.Add, Item: table.Item{Key: here, Num: map[string]int64{"n": 1}}, If: table.Cond{Kind: table.NumLT, Name: "n", Val: 5}},
	} {
		requireCanceled(t, f.Write(t.Context(), "", op), 0)
	}
	require.Equal(t, int64(1), f.get(here).Rev)
	f.absent(gone)
	f.write(put(doc(here, `{"n":2}`), table.Cond{Kind: table.NumGE, Name: "n", Val: 5}))
	f.write(put(doc(here, `{"n":3}`), table.Cond{Kind: table.RevEq, Val: 2}))
	f.write(put(doc(gone, `{}`), when(table.NotExists)))
	f.write(table.Op{Kind: table.Delete, Item: table.Item{Key: here}, If: table.Cond{Kind: table.RevEq, Val: 3}})
	f.absent(here)
}
