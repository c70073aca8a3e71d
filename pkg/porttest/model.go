package porttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

var modelRuns atomic.Int64

// TableModel holds a store to the model in memory over random writes, reads, pages and times. Reads
// through an index may see the past, up to lag ago.
func TableModel(t *testing.T, open OpenTable, lag time.Duration) {
	clock := NewClock()
	store := open(t, clock.Now)
	rapid.Check(t, func(r *rapid.T) {
		m := &modelRun{
			T: r, t: t, clock: clock, store: store, model: newMemory(clock.Now), lag: lag,
			space: fmt.Sprintf("run%d/", modelRuns.Add(1)),
		}
		clock.Advance(time.Hour) // what other runs did is past any lag
		m.remember()
		r.Repeat(map[string]func(*rapid.T){
			"write": m.write, "get": m.get, "query": m.query, "index": m.queryIndex, "time": m.pass, "fill": m.fillPage,
		})
	})
}

type modelRun struct {
	*rapid.T
	t     *testing.T
	clock *Clock
	store table.Table
	model *Memory
	space string // of partition keys and tokens: runs share the table
	lag   time.Duration
	past  []pastState
	last  *lastWrite

	filled bool // a page, see fillPage
}

type pastState struct {
	from  time.Time
	items map[table.Key]table.Item
}

type lastWrite struct {
	token string
	ops   []table.Op
}

// remember keeps the present state for reads that may lag.
func (m *modelRun) remember() {
	m.past = append(m.past, pastState{m.clock.Now(), maps.Clone(m.model.items)})
}

var (
	modelPKs  = rapid.SampledFrom([]string{"A", "B"})
	modelSKs  = rapid.SampledFrom([]string{"1", "10", "2", "E#1", "E#2", "E$", "é", "\U0001d11e", "\uffff"})
	modelNums = rapid.SampledFrom([]string{"n", "rows"})
	modelLow  = rapid.Int64Range(-1, 3)
)

func (m *modelRun) pk(r *rapid.T) string { return m.space + modelPKs.Draw(r, "pk") }

func (m *modelRun) write(r *rapid.T) {
	token, ops := m.draw(r)
	want := table.Limit(m.model).Write(m.t.Context(), token, ops...)
	got := m.store.Write(m.t.Context(), token, ops...)
	require.Equal(r, outcome(want), outcome(got), "%v", got)
	m.remember()
	m.last = &lastWrite{token, ops}
}

// draw gives new operations, or those of the write before under its token, whole or changed.
func (m *modelRun) draw(r *rapid.T) (string, []table.Op) {
	if m.last != nil && m.last.token != "" && rapid.Bool().Draw(r, "again") {
		if rapid.Bool().Draw(r, "changed") {
			return m.last.token, m.ops(r)
		}
		return m.last.token, m.last.ops
	}
	token := ""
	if rapid.Bool().Draw(r, "with token") {
		token = m.space + fmt.Sprint(len(m.past))
	}
	return token, m.ops(r)
}

func (m *modelRun) ops(r *rapid.T) []table.Op {
	return rapid.SliceOfNDistinct(rapid.Custom(m.op), 1, 4, func(op table.Op) table.Key { return op.Item.Key }).Draw(r, "ops")
}

func (m *modelRun) op(r *rapid.T) table.Op {
	op := table.Op{
		Kind: rapid.SampledFrom([]table.OpKind{table.Put, table.Put, table.Add, table.Delete, table.Check}).Draw(r, "kind"),
		Item: table.Item{Key: key(m.pk(r), modelSKs.Draw(r, "sk"))},
		If:   m.cond(r),
	}
	switch op.Kind {
	case table.Put:
		m.fill(r, &op.Item)
	case table.Add:
		op.Item.Num = rapid.MapOfN(modelNums, modelLow, 1, 2).Draw(r, "deltas")
	}
	return op
}

func (m *modelRun) cond(r *rapid.T) table.Cond {
	kinds := []table.CondKind{
		table.Always, table.Always, table.Always, table.NotExists, table.Exists, table.RevEq, table.NumEq, table.NumLT, table.NumGE,
	}
	c := table.Cond{Kind: rapid.SampledFrom(kinds).Draw(r, "if"), Val: modelLow.Draw(r, "value")}
	if strings.HasPrefix(string(c.Kind), "Num") {
		c.Name = modelNums.Draw(r, "counter")
	}
	return c
}

func (m *modelRun) fill(r *rapid.T, it *table.Item) {
	if rapid.Bool().Draw(r, "body") {
		it.Body = json.RawMessage(fmt.Sprintf(`{"n":%d}`, modelLow.Draw(r, "content")))
	}
	if num := rapid.MapOfN(modelNums, modelLow, 0, 2).Draw(r, "counters"); len(num) > 0 {
		it.Num = num
	}
	for _, index := range []table.Index{table.GSI1, table.GSI2} {
		if rapid.Bool().Draw(r, string(index)) {
			if it.Idx == nil {
				it.Idx = map[table.Index]table.Key{}
			}
			it.Idx[index] = key(m.pk(r), modelSKs.Draw(r, "index key"))
		}
	}
	if rapid.IntRange(0, 3).Draw(r, "expires") == 0 {
		it.TTL = m.clock.Now().Add(time.Duration(rapid.IntRange(0, 3).Draw(r, "life")) * time.Second).Truncate(time.Second)
	}
}

// fillPage writes more than a page holds, reads it and removes it, once in some of the runs: it is slow.
func (m *modelRun) fillPage(r *rapid.T) {
	if m.filled || rapid.IntRange(0, 9).Draw(r, "fill") > 0 {
		return
	}
	m.filled = true
	ops := make([]table.Op, 4)
	body := json.RawMessage(`"` + strings.Repeat("x", rapid.IntRange(260<<10, 390<<10).Draw(r, "bytes")) + `"`)
	pk := m.pk(r)
	for i := range ops {
		ops[i] = table.Op{Kind: table.Put, Item: table.Item{Key: key(pk, fmt.Sprint(i)), Body: body}}
	}
	m.both(r, ops)
	q := table.Query{PK: pk, Limit: 5, Consistency: table.Consistent, Descending: rapid.Bool().Draw(r, "descending")}
	require.Equal(r, m.drain(r, table.Limit(m.model), q), m.drain(r, m.store, q))
	for i := range ops {
		ops[i] = table.Op{Kind: table.Delete, Item: table.Item{Key: ops[i].Item.Key}}
	}
	m.both(r, ops)
}

// both writes what cannot fail.
func (m *modelRun) both(r *rapid.T, ops []table.Op) {
	require.NoError(r, table.Limit(m.model).Write(m.t.Context(), "", ops...))
	require.NoError(r, m.store.Write(m.t.Context(), "", ops...))
	m.remember()
}

// outcome is what callers can tell of an error.
func outcome(err error) string {
	var canceled *table.CanceledError
	if errors.As(err, &canceled) {
		return fmt.Sprint("failed ", canceled.Failed)
	}
	return string(errs.CodeOf(err))
}

func (m *modelRun) get(r *rapid.T) {
	k := key(m.pk(r), modelSKs.Draw(r, "sk"))
	want, wantErr := m.model.Get(m.t.Context(), k, table.Consistent)
	got, gotErr := m.store.Get(m.t.Context(), k, table.Consistent)
	require.Equal(r, outcome(wantErr), outcome(gotErr))
	require.Equal(r, want, got)
}

func (m *modelRun) drawQuery(r *rapid.T, index table.Index) table.Query {
	q := table.Query{Index: index, PK: m.pk(r), Descending: rapid.Bool().Draw(r, "descending"), Limit: rapid.IntRange(1, 5).Draw(r, "limit")}
	switch rapid.IntRange(0, 3).Draw(r, "range") {
	case 0:
		q.Prefix = rapid.SampledFrom([]string{"1", "E", "E#", "é", "x"}).Draw(r, "prefix")
	case 1:
		q.From = modelSKs.Draw(r, "from")
	case 2:
		q.From, q.To = modelSKs.Draw(r, "from"), modelSKs.Draw(r, "to")
	}
	return q
}

// requireWithinPage holds a page to 1 MiB, which its last item alone may go beyond.
func requireWithinPage(r *rapid.T, items []table.Item) {
	bytes := 0
	for _, it := range items {
		require.LessOrEqual(r, bytes, table.MaxPage)
		bytes += table.Size(it)
	}
}

// drain reads all pages.
func (m *modelRun) drain(r *rapid.T, t table.Table, q table.Query) []table.Item {
	all := []table.Item{}
	for pages := 0; ; pages++ {
		require.Less(r, pages, 1000, "the pages have no end")
		page, err := t.Query(m.t.Context(), q)
		require.NoError(r, err)
		require.LessOrEqual(r, len(page.Items), q.Limit)
		requireWithinPage(r, page.Items)
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		q.Cursor = page.Next
	}
}

func (m *modelRun) query(r *rapid.T) {
	q := m.drawQuery(r, table.Primary)
	q.Consistency = table.Consistent
	require.Equal(r, m.drain(r, table.Limit(m.model), q), m.drain(r, m.store, q))
}

// queryIndex accepts what was true at some time within the lag. The order among equal index keys is
// the store's own.
func (m *modelRun) queryIndex(r *rapid.T) {
	q := m.drawQuery(r, rapid.SampledFrom([]table.Index{table.GSI1, table.GSI2}).Draw(r, "index"))
	got := m.drain(r, m.store, q)
	require.True(r, slices.IsSortedFunc(got, func(a, b table.Item) int {
		c := strings.Compare(a.Idx[q.Index].SK, b.Idx[q.Index].SK)
		if q.Descending {
			return -c
		}
		return c
	}))
	sortItems(got)
	for i, state := range slices.Backward(m.past) {
		view := &Memory{clock: m.clock.Now, items: state.items}
		want := m.drain(r, table.Limit(view), q)
		if sortItems(want); reflect.DeepEqual(want, got) {
			return
		}
		if ended := m.clock.Now(); i < len(m.past)-1 && ended.Sub(m.past[i+1].from) > m.lag {
			break
		}
		if m.lag == 0 {
			break
		}
	}
	require.Fail(r, "the index gave what was never true within the lag", "%+v", got)
}

func sortItems(items []table.Item) {
	slices.SortFunc(items, func(a, b table.Item) int { return strings.Compare(a.PK+"\x00"+a.SK, b.PK+"\x00"+b.SK) })
}

func (m *modelRun) pass(r *rapid.T) {
	if rapid.IntRange(0, 3).Draw(r, "long") == 0 {
		m.clock.Advance(table.TokenLife)
		return
	}
	m.clock.Advance(time.Duration(rapid.IntRange(1, 2500).Draw(r, "ms")) * time.Millisecond)
}
