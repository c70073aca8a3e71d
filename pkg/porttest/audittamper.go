package porttest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/table"
)

func verifyUntouched(t *testing.T, f *auditFixture) {
	report := f.verify(nil)
	require.True(t, report.OK, "an empty trail holds: %+v", report.Problems)
	f.commitN(7)
	anchor, err := f.log.Head(t.Context())
	require.NoError(t, err)
	f.commitN(3)
	report = f.verify(&anchor)
	require.True(t, report.OK, "%+v", report.Problems)
	require.Equal(t, int64(10), report.Checked)
	require.NoError(t, report.Err())
}

func entryAt(n int) table.Key { return key("AUDIT", fmt.Sprintf("ENTRY#%016d", n)) }
func eventAt(n int) table.Key { return key("EVENTS", fmt.Sprintf("EVENT#%016d", n)) }

func (f *auditFixture) stored(k table.Key) table.Item {
	f.Helper()
	it, err := f.table.Get(f.Context(), k, table.Consistent)
	require.NoError(f, err)
	return it
}

func (f *auditFixture) force(op table.Op) {
	f.Helper()
	require.NoError(f, f.table.Write(f.Context(), "", op))
}

// rewrite changes members of a stored document.
func (f *auditFixture) rewrite(k table.Key, members map[string]any) {
	f.Helper()
	it := f.stored(k)
	var tree map[string]any
	require.NoError(f, json.Unmarshal(it.Body, &tree))
	for name, v := range members {
		tree[name] = v
	}
	raw, err := json.Marshal(tree)
	require.NoError(f, err)
	it.Body = raw
	f.force(put(it, table.Cond{}))
}

func (f *auditFixture) remove(keys ...table.Key) {
	f.Helper()
	for _, k := range keys {
		f.force(table.Op{Kind: table.Delete, Item: table.Item{Key: k}})
	}
}

// verifyTampering does what an intruder with the table in hand would do.
func verifyTampering(t *testing.T, f *auditFixture) {
	type finding struct {
		seq  int64
		kind audit.ProblemKind
	}
	const n = 8
	for name, c := range map[string]struct {
		tamper func(f *auditFixture)
		want   finding
	}{
		"an edit": {func(f *auditFixture) { f.rewrite(entryAt(3), map[string]any{"reason": "harmless"}) }, finding{3, audit.Edited}},
		"an edit of the time": {
			func(f *auditFixture) { f.rewrite(entryAt(3), map[string]any{"time": "2026-11-24T09:00:01Z"}) }, finding{3, audit.Edited},
		},
		"an edit of the last": {func(f *auditFixture) { f.rewrite(entryAt(n), map[string]any{"reason": "x"}) }, finding{n, audit.Edited}},
		"an edit with a new hash": {
			func(f *auditFixture) { f.rewrite(entryAt(3), map[string]any{"hash": audit.Genesis}) }, finding{3, audit.Edited},
		},
		"no JSON": {func(f *auditFixture) {
			f.force(put(doc(entryAt(3), `7`), table.Cond{}))
		}, finding{3, audit.Edited}},
		"a deletion":              {func(f *auditFixture) { f.remove(entryAt(4)) }, finding{4, audit.Missing}},
		"a deletion of the first": {func(f *auditFixture) { f.remove(entryAt(1)) }, finding{1, audit.Missing}},
		"a re-ordering":           {func(f *auditFixture) { f.swap(entryAt(2), entryAt(5)) }, finding{2, audit.Reordered}},
		"a cut tail":              {func(f *auditFixture) { f.remove(entryAt(7), entryAt(8)) }, finding{7, audit.Cut}},
		"a cut tail and head":     {func(f *auditFixture) { f.cutTo(6) }, finding{7, audit.Cut}},
		"a rewritten end":         {func(f *auditFixture) { f.cutTo(6); f.commitN(3) }, finding{n, audit.Rewritten}},
		"a head that went back":   {func(f *auditFixture) { f.headTo(6) }, finding{7, audit.Extra}},
		"no head":                 {func(f *auditFixture) { f.remove(key("AUDIT", "HEAD")) }, finding{1, audit.Extra}},
		"an edited event":         {func(f *auditFixture) { f.rewrite(eventAt(5), map[string]any{"type": "RunStopped"}) }, finding{5, audit.EventWrong}},
		"a deleted event":         {func(f *auditFixture) { f.remove(eventAt(5)) }, finding{5, audit.EventWrong}},
	} {
		t.Run(name, func(t *testing.T) {
			g := *f
			g.T, g.table = t, NewMemory(f.clock.Now)
			if name == "an edit" || name == "a cut tail and head" {
				g.table = f.fresh(t)
			}
			g.log = g.openLog()
			g.commitN(n)
			anchor, err := g.log.Head(t.Context())
			require.NoError(t, err)
			c.tamper(&g)
			report := g.verify(&anchor)
			require.False(t, report.OK)
			require.NotEmpty(t, report.Problems)
			require.Equal(t, c.want, finding{report.Problems[0].Seq, report.Problems[0].Kind}, "%+v", report.Problems)
			require.ErrorContains(t, report.Err(), "tampered")
		})
	}
}

func (f *auditFixture) swap(a, b table.Key) {
	f.Helper()
	x, y := f.stored(a), f.stored(b)
	x.Key, y.Key = b, a
	f.force(put(x, table.Cond{}))
	f.force(put(y, table.Cond{}))
}

// headTo sets the head back to an entry.
func (f *auditFixture) headTo(n int) {
	f.Helper()
	var e audit.Entry
	require.NoError(f, json.Unmarshal(f.stored(entryAt(n)).Body, &e))
	f.rewrite(key("AUDIT", "HEAD"), map[string]any{"seq": n, "hash": e.Hash})
	f.log = f.openLog()
}

// cutTo removes everything after an entry, events too, and sets the head back.
func (f *auditFixture) cutTo(n int) {
	f.Helper()
	head, err := f.log.Head(f.Context())
	require.NoError(f, err)
	for i := n + 1; i <= int(head.Seq); i++ {
		f.remove(entryAt(i), eventAt(i))
	}
	f.headTo(n)
}
