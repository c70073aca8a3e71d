package dataset_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// row is a row with the file that brought it in: shards say where their rows are from, so that a row that comes again
// after it was retracted stands in another shard.
type row struct{ n, file int }

type rowSet map[row]bool

// model is what a dataset should be after some additions and retractions.
type model struct {
	versions  []rowSet // by number − 1
	parents   []int
	retracted []bool
	latest    int
}

func (m *model) live() rowSet {
	if m.latest == 0 {
		return rowSet{}
	}
	return m.versions[m.latest-1]
}

func (m *model) append(rows rowSet) {
	m.versions, m.parents, m.retracted = append(m.versions, rows), append(m.parents, m.latest), append(m.retracted, false)
	m.latest = len(m.versions)
}

// add lets in the rows of a file that are not there yet.
func (m *model) add(file int, rows []int) {
	all := maps.Clone(m.live())
	for _, n := range rows {
		if !m.live().has(n) {
			all[row{n, file}] = true
		}
	}
	if len(all) > len(m.live()) {
		m.append(all)
	}
}

func (s rowSet) has(n int) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(s)), func(r row) bool { return r.n == n })
}

func minus(a, b rowSet) rowSet {
	out := maps.Clone(a)
	maps.DeleteFunc(out, func(r row, _ bool) bool { return b[r] })
	return out
}

// retract follows the words of Service.Retract, row by row.
func (m *model) retract(n int) {
	if m.retracted[n-1] {
		return
	}
	bad := m.versions[n-1]
	if p := m.parents[n-1]; p > 0 && len(minus(bad, m.versions[p-1])) > 0 {
		bad = minus(bad, m.versions[p-1])
	}
	rest := minus(m.live(), bad)
	for i := n - 1; i < len(m.versions); i++ {
		if len(minus(m.versions[i], bad)) < len(m.versions[i]) {
			m.retracted[i] = true
		}
	}
	switch {
	case len(rest) == len(m.live()):
	case len(rest) == 0:
		m.latest = 0
	default:
		m.leave(rest)
	}
}

// leave makes the newest version one of just these rows: an old one, or a new one.
func (m *model) leave(rest rowSet) {
	for i := len(m.versions) - 1; i >= 0; i-- {
		if !m.retracted[i] && maps.Equal(m.versions[i], rest) {
			m.latest = i + 1
			return
		}
	}
	m.append(rest)
}

// TestService_FollowsItsModel adds and retracts at random. What a file brings in is one shard.
func TestService_FollowsItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, nil)
		m := &model{}
		for step := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			if len(m.versions) > 0 && rapid.Bool().Draw(rt, "retract") {
				n := rapid.IntRange(1, len(m.versions)).Draw(rt, "version")
				_, err := w.Retract(t.Context(), by, "support", n, "test")
				require.NoError(rt, err)
				m.retract(n)
			} else {
				rows := rapid.SliceOfNDistinct(rapid.IntRange(1, 8), 1, 3, rapid.ID[int]).Draw(rt, "rows")
				w.addRows(rt, m, step, rows)
			}
			w.compare(rt, m)
		}
	})
}

func (w *world) addRows(rt *rapid.T, m *model, step int, rows []int) {
	var content strings.Builder
	for _, n := range rows {
		fmt.Fprintf(&content, `{"text":"row %d"}`+"\n", n)
	}
	w.add(fmt.Sprintf("f%d.jsonl", step), content.String())
	m.add(step, rows)
}

func (w *world) compare(rt *rapid.T, m *model) {
	latest, err := w.Latest(w.t.Context(), "support")
	if m.latest == 0 {
		require.Equal(rt, errs.NotFound, errs.CodeOf(err))
		return
	}
	require.NoError(rt, err)
	require.Equal(rt, m.latest, latest.Number)
	got := map[int]bool{}
	for _, line := range w.lines(latest) {
		var n int
		_, err := fmt.Sscanf(line["text"].(string), "row %d", &n)
		require.NoError(rt, err)
		require.False(rt, got[n], "row %d stands twice", n)
		got[n] = true
	}
	live := map[int]bool{}
	for r := range m.live() {
		live[r.n] = true
	}
	require.Equal(rt, live, got)
	all, _, err := w.Versions(w.t.Context(), "support", 100, "")
	require.NoError(rt, err)
	require.Len(rt, all, len(m.versions))
	for _, v := range all {
		require.Equal(rt, m.retracted[v.Number-1], v.Status == dataset.VersionRetracted, "version %d", v.Number)
	}
}
