package audit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

// tampered is a trail in the hands of who can write its table.
type tampered struct {
	*rapid.T
	t    *testing.T
	rows table.Table
	log  *audit.Log
	n    int
}

func newTampered(t *testing.T, r *rapid.T) *tampered {
	clock := porttest.NewClock()
	x := &tampered{T: r, t: t, rows: porttest.NewMemory(clock.Now), n: rapid.IntRange(3, 20).Draw(r, "entries")}
	x.log = audit.NewLog(x.rows, clock.Now, ids.Sequence())
	for i := range x.n {
		_, err := x.log.Commit(t.Context(), audit.Change{
			Actor: audit.Actor{ID: fmt.Sprintf("usr_%d", i%3), Name: "Ann"}, Type: "RunStarted", Reason: rapid.String().Draw(r, "reason"),
			Subject: audit.Subject{Type: "run", ID: fmt.Sprint("run_", i)}, Data: map[string]any{"rows": i},
			Before: json.RawMessage(`{"a":0}`), After: json.RawMessage(fmt.Sprintf(`{"a":%d}`, i)),
		})
		require.NoError(r, err)
	}
	return x
}

func entryKey(n int) table.Key {
	return table.Key{PK: "AUDIT", SK: fmt.Sprintf("ENTRY#%016d", n)}
}

func eventKey(n int) table.Key {
	return table.Key{PK: "EVENTS", SK: fmt.Sprintf("EVENT#%016d", n)}
}

func (x *tampered) any(label string) int { return rapid.IntRange(1, x.n).Draw(x.T, label) }

func (x *tampered) read(k table.Key) (table.Item, map[string]any) {
	it, err := x.rows.Get(x.t.Context(), k, table.Consistent)
	require.NoError(x, err)
	var doc map[string]any
	require.NoError(x, json.Unmarshal(it.Body, &doc))
	return it, doc
}

func (x *tampered) write(k table.Key, doc map[string]any) {
	raw, err := json.Marshal(doc)
	require.NoError(x, err)
	require.NoError(x, x.rows.Write(x.t.Context(), "", table.Op{Kind: table.Put, Item: table.Item{Key: k, Body: raw}}))
}

func (x *tampered) remove(k table.Key) {
	require.NoError(x, x.rows.Write(x.t.Context(), "", table.Op{Kind: table.Delete, Item: table.Item{Key: k}}))
}

// edit changes one member of a record, wherever it is, or removes it.
func (x *tampered) edit(k table.Key, spare ...string) {
	_, doc := x.read(k)
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(doc)), func(n string) bool { return slices.Contains(spare, n) })
	name := rapid.SampledFrom(names).Draw(x.T, "member")
	switch v := doc[name].(type) {
	case string:
		doc[name] = v[:len(v)/2] + "x" + v[len(v)/2:]
	case float64:
		doc[name] = v + 1
	default:
		delete(doc, name)
	}
	if name == "time" {
		doc[name] = "2020-01-01T00:00:00Z"
	}
	x.write(k, doc)
}

func (x *tampered) headTo(n int) {
	_, last := x.read(entryKey(n))
	x.write(table.Key{PK: "AUDIT", SK: "HEAD"}, map[string]any{"seq": n, "hash": last["hash"]})
}

// mutations give the place at which the first problem must be found.
var mutations = map[string]func(x *tampered) int{
	"edit": func(x *tampered) int { n := x.any("entry"); x.edit(entryKey(n)); return n },
	"edit event": func(x *tampered) int {
		n := x.any("event")
		x.edit(eventKey(n))
		return n
	},
	"delete": func(x *tampered) int {
		n := rapid.IntRange(1, x.n-1).Draw(x.T, "from")
		to := rapid.IntRange(n, x.n-1).Draw(x.T, "to")
		for i := n; i <= to; i++ {
			x.remove(entryKey(i))
		}
		return n
	},
	"delete event": func(x *tampered) int { n := x.any("event"); x.remove(eventKey(n)); return n },
	"swap":         func(x *tampered) int { return x.swap(false) },
	"swap and number again": func(x *tampered) int {
		return x.swap(true)
	},
	"delete and close the gap": func(x *tampered) int {
		n := rapid.IntRange(1, x.n-1).Draw(x.T, "entry")
		for i := n; i < x.n; i++ {
			_, next := x.read(entryKey(i + 1))
			next["seq"] = i
			x.write(entryKey(i), next)
		}
		x.remove(entryKey(x.n))
		return n
	},
	"cut": func(x *tampered) int { return x.cut() },
	"cut with head": func(x *tampered) int {
		n := x.cut()
		x.headTo(n - 1)
		return n
	},
	"head goes back": func(x *tampered) int {
		n := rapid.IntRange(1, x.n-1).Draw(x.T, "head")
		x.headTo(n)
		return n + 1
	},
	"cut and written anew": func(x *tampered) int {
		n := x.cut()
		x.headTo(n - 1)
		log := audit.NewLog(x.rows, porttest.NewClock().Now, ids.Sequence())
		for range x.n {
			_, err := log.Commit(x.t.Context(), audit.Change{Actor: audit.System("forger"), Type: "RunStarted", Subject: audit.Subject{Type: "run", ID: "r"}})
			require.NoError(x, err)
		}
		return x.n // where the anchor stands: before it nothing can be told from a true trail
	},
}

func (x *tampered) swap(renumber bool) int {
	a := rapid.IntRange(1, x.n-1).Draw(x.T, "one")
	b := rapid.IntRange(a+1, x.n).Draw(x.T, "other")
	_, one := x.read(entryKey(a))
	_, other := x.read(entryKey(b))
	if renumber {
		one["seq"], other["seq"] = b, a
	}
	x.write(entryKey(a), other)
	x.write(entryKey(b), one)
	return a
}

func (x *tampered) cut() int {
	n := rapid.IntRange(2, x.n).Draw(x.T, "first to go")
	for i := n; i <= x.n; i++ {
		x.remove(entryKey(i))
		x.remove(eventKey(i))
	}
	return n
}

// TestVerify_FindsEveryMutation_AndItsPlace tampers at random and looks at the first finding.
func TestVerify_FindsEveryMutation_AndItsPlace(t *testing.T) {
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				x := newTampered(t, r)
				anchor, err := x.log.Head(t.Context())
				require.NoError(r, err)
				report, err := x.log.Verify(t.Context(), &anchor)
				require.NoError(r, err)
				require.True(r, report.OK)
				place := mutate(x)
				report, err = audit.NewLog(x.rows, porttest.NewClock().Now, ids.Sequence()).Verify(t.Context(), &anchor)
				require.NoError(r, err)
				require.False(r, report.OK)
				require.Equal(r, int64(place), report.Problems[0].Seq, "%+v", report.Problems)
			})
		})
	}
}

// TestAnchored_KeepsTheHeadElsewhere shows that a cut tail is found without anybody giving a head, and
// that the kept head never follows a trail that was cut.
func TestAnchored_KeepsTheHeadElsewhere(t *testing.T) {
	objects, err := files.Open(t.TempDir())
	require.NoError(t, err)
	rapid.Check(t, func(r *rapid.T) {
		require.NoError(r, objects.Delete(t.Context(), audit.AnchorKey))
		x := newTampered(t, r)
		log := audit.Anchored{Log: x.log, Objects: objects}
		if rapid.Bool().Draw(r, "by verify") {
			report, err := log.Verify(t.Context(), nil)
			require.NoError(r, err)
			require.True(r, report.OK && !report.Anchored)
		} else {
			require.NoError(r, log.Anchor(t.Context()))
		}
		report, err := log.Verify(t.Context(), nil)
		require.NoError(r, err)
		require.True(r, report.OK && report.Anchored)
		place := x.cut()
		x.headTo(place - 1)
		log.Log = audit.NewLog(x.rows, porttest.NewClock().Now, ids.Sequence())
		require.ErrorContains(r, log.Anchor(t.Context()), "as it was anchored")
		report, err = log.Verify(t.Context(), nil)
		require.NoError(r, err)
		require.Equal(r, audit.Problem{Seq: int64(place), Kind: audit.Cut, Detail: report.Problems[0].Detail}, report.Problems[0])
		kept, err := log.Kept(t.Context())
		require.NoError(r, err)
		require.Equal(r, int64(x.n), kept.Seq)
	})
}
