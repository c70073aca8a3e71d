package porttest

import (
	"context"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Memory is a table in memory: the model that adapters are held to, and a fast fake for tests of
// the core. Index reads are up to date.
type Memory struct {
	clock  ids.Clock
	mu     sync.Mutex
	items  map[table.Key]table.Item
	tokens map[string]usedToken
}

type usedToken struct {
	ops     []table.Op
	expires time.Time
}

var _ table.Table = (*Memory)(nil)

// NewMemory gives an empty table with the limits in front.
func NewMemory(clock ids.Clock) table.Table { return table.Limit(newMemory(clock)) }

func newMemory(clock ids.Clock) *Memory {
	return &Memory{clock: clock, items: map[table.Key]table.Item{}, tokens: map[string]usedToken{}}
}

// Get reads one item.
func (m *Memory) Get(_ context.Context, key table.Key, _ table.Consistency) (table.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if it := m.live(key); it != nil {
		return *it, nil
	}
	return table.Item{}, errs.New(errs.NotFound, "no record %s %s", key.PK, key.SK)
}

func (m *Memory) live(key table.Key) *table.Item {
	it, ok := m.items[key]
	if !ok {
		return nil
	}
	return table.Live(&it, m.clock())
}

// Write applies all operations or none.
func (m *Memory) Write(_ context.Context, token string, ops ...table.Op) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if used, ok := m.tokens[token]; ok && used.expires.After(m.clock()) {
		if reflect.DeepEqual(used.ops, ops) {
			return nil
		}
		return errs.New(errs.Conflict, "token %s was used for another write", token)
	}
	var failed []int
	for i, op := range ops {
		if !table.Holds(op.If, m.live(op.Item.Key)) {
			failed = append(failed, i)
		}
	}
	if failed != nil {
		return &table.CanceledError{Failed: failed}
	}
	m.apply(ops)
	if token != "" {
		m.tokens[token] = usedToken{ops, m.clock().Add(10 * time.Minute)}
	}
	return nil
}

func (m *Memory) apply(ops []table.Op) {
	for _, op := range ops {
		after := table.Apply(op, m.live(op.Item.Key))
		if after == nil {
			delete(m.items, op.Item.Key)
			continue
		}
		m.items[op.Item.Key] = *after
	}
}

// Query reads a page.
func (m *Memory) Query(_ context.Context, q table.Query) (table.Page, error) {
	last, err := table.DecodeCursor(q)
	if err != nil {
		return table.Page{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var page table.Page
	bytes := 0
	for _, p := range m.order(q) {
		if last != nil && !follows(q, *last, p) {
			continue
		}
		it := *m.live(p.Key)
		bytes += table.Size(it)
		if len(page.Items) == q.Limit || (bytes > table.MaxPage && len(page.Items) > 0) {
			end := page.Items[len(page.Items)-1]
			page.Next = table.EncodeCursor(q, position(q, end))
			break
		}
		page.Items = append(page.Items, it)
	}
	return page, nil
}

// order gives the positions of all live items that the query covers, in its order.
func (m *Memory) order(q table.Query) []table.Position {
	var all []table.Position
	for key := range m.items {
		it := m.live(key)
		if it == nil {
			continue
		}
		if p := position(q, *it); covers(q, sortKey(q, p), *it) {
			all = append(all, p)
		}
	}
	sort.Slice(all, func(i, j int) bool { return follows(q, all[i], all[j]) })
	return all
}

func position(q table.Query, it table.Item) table.Position {
	return table.Position{Key: it.Key, Index: it.Idx[q.Index]}
}

func sortKey(q table.Query, p table.Position) string {
	if q.Index == table.Primary {
		return p.Key.SK
	}
	return p.Index.SK
}

func covers(q table.Query, sk string, it table.Item) bool {
	pk := it.PK
	if q.Index != table.Primary {
		pk = it.Idx[q.Index].PK
	}
	return pk == q.PK && strings.HasPrefix(sk, q.Prefix) && sk >= q.From && (q.To == "" || sk <= q.To)
}

// follows tells whether b comes after a.
func follows(q table.Query, a, b table.Position) bool {
	rank := func(p table.Position) [3]string { return [3]string{sortKey(q, p), p.Key.PK, p.Key.SK} }
	x, y := rank(a), rank(b)
	for i := range x {
		if x[i] != y[i] {
			return (x[i] < y[i]) != q.Descending
		}
	}
	return false
}
