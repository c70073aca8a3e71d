package dataset_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/lineage"
)

func TestService_Publish_ChecksAgainWhenTheDatasetMovedOn(t *testing.T) {
	w := newWorld(t, nil)
	a := w.check("a.jsonl", pairs("x", 4))
	b := w.check("b.jsonl", pairs("x", 2)+pairs("y", 2))
	first, err := w.Publish(t.Context(), a.ID)
	require.NoError(t, err)
	second, err := w.Publish(t.Context(), b.ID)
	require.NoError(t, err)
	require.Equal(t, []int{4, 6, 2}, []int{first.Rows, second.Rows, second.Added})
	require.Equal(t, dataset.Counts{Rows: 4, Accepted: 2, Duplicates: 2}, w.ingestion(b.ID).Counts)
}

func TestService_Retract_TakesBackWhatTheVersionBroughtIn(t *testing.T) {
	w := newWorld(t, nil)
	w.add("a.jsonl", pairs("a", 2))
	w.add("b.jsonl", pairs("b", 3))
	w.add("c.jsonl", pairs("c", 4))
	v, err := w.Retract(t.Context(), by, "support", 2, "poisoned")
	require.NoError(t, err)
	require.Equal(t, dataset.VersionRetracted, v.Status)
	latest, err := w.Latest(t.Context(), "support")
	require.NoError(t, err)
	require.Equal(t, []int{4, 6, 0}, []int{latest.Number, latest.Rows, latest.Added})
	require.Equal(t, map[string]int{"a": 2, "c": 4}, latest.Stats.Topics)

	back := w.add("b2.jsonl", pairs("b", 3))
	require.Equal(t, []int{5, 9}, []int{back.Number, back.Rows}, "retracted rows are no duplicates")
	_, err = w.Retract(t.Context(), by, "support", 5, "again")
	require.NoError(t, err)
	latest, err = w.Latest(t.Context(), "support")
	require.NoError(t, err)
	require.Equal(t, 4, latest.Number, "an older version holds just what is left")

	for _, n := range []int{1, 6} {
		_, err = w.Retract(t.Context(), by, "support", n, "all of it")
		require.NoError(t, err)
	}
	_, err = w.Latest(t.Context(), "support")
	require.Equal(t, errs.NotFound, errs.CodeOf(err))
	_, err = w.Retract(t.Context(), by, "support", 1, "")
	require.Equal(t, errs.Invalid, errs.CodeOf(err))
}

func TestService_Lineage_LeadsFromTheFileToTheVersionsAndBack(t *testing.T) {
	w := newWorld(t, func(d *dataset.Deps) { d.Policy.ShardRows = 1 })
	first := w.add("a.jsonl", pairs("a", 60))
	second := w.add("b.jsonl", pairs("b", 1))
	g := lineage.Graph{Table: w.table}
	impact, err := g.BlastRadius(t.Context(), lineage.Node{Type: lineage.Object, ID: "incoming/support/a.jsonl"})
	require.NoError(t, err)
	require.Equal(t, []string{"ing_000001"}, impact.Reached[lineage.Ingestion])
	require.Equal(t, []string{"support@1", "support@2"}, impact.Reached[lineage.DatasetVersion])
	require.Len(t, impact.Reached[lineage.Shard], 60)

	back, err := g.Walk(t.Context(), lineage.VersionNode("support", 2), lineage.Backward, 0)
	require.NoError(t, err)
	require.Contains(t, back.Nodes, lineage.Node{Type: lineage.Object, ID: "incoming/support/b.jsonl"})
	require.Len(t, back.Nodes, 2+61+2+2)

	_, err = w.Retract(t.Context(), by, "support", 1, "poisoned")
	require.NoError(t, err)
	impact, err = g.BlastRadius(t.Context(), lineage.Node{Type: lineage.Shard, ID: second.Shards[60].SHA256})
	require.NoError(t, err)
	require.Equal(t, []string{"support@2", "support@3"}, impact.Reached[lineage.DatasetVersion])
	impact, err = g.BlastRadius(t.Context(), lineage.Node{Type: lineage.Shard, ID: first.Shards[0].SHA256})
	require.NoError(t, err)
	require.NotContains(t, impact.Reached[lineage.DatasetVersion], "support@3")
}

func TestService_Diff(t *testing.T) {
	w := newWorld(t, nil)
	w.add("a.jsonl", pairs("a", 30)+`{"prompt":"Who?","completion":"Ann"}`)
	w.add("b.jsonl", pairs("b", 2)+`{"prompt":"Who?","completion":"Bob"}`)
	d, err := w.Diff(t.Context(), "support", 1, 2)
	require.NoError(t, err)
	require.Equal(t, []int{3, 0, 31}, []int{d.Added, d.Removed, d.Unchanged})
	require.Len(t, d.ExamplesAdded, 3)
	require.Equal(t, map[string]int{"b": 2}, d.Topics)

	_, err = w.Retract(t.Context(), by, "support", 1, "wrong answers")
	require.NoError(t, err)
	d, err = w.Diff(t.Context(), "support", 1, 3)
	require.NoError(t, err)
	require.Equal(t, []int{3, 31, 1, 0}, []int{d.Added, d.Removed, d.Changed, d.Unchanged})
	require.Len(t, d.ExamplesRemoved, 20)
	require.Contains(t, string(d.ExamplesAdded[2].Body), "Bob")
}

func TestService_Sample_IsOfTheWholeVersionAndRepeats(t *testing.T) {
	w := newWorld(t, func(d *dataset.Deps) { d.Policy.ShardRows = 10 })
	w.add("a.jsonl", pairs("a", 95))
	first, err := w.Sample(t.Context(), "support", 1, 40, 7)
	require.NoError(t, err)
	again, err := w.Sample(t.Context(), "support", 1, 40, 7)
	require.NoError(t, err)
	other, err := w.Sample(t.Context(), "support", 1, 40, 8)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
	require.Len(t, first, 40)
	shards := map[string]bool{}
	for _, r := range first {
		shards[r.Shard] = true
	}
	require.Greater(t, len(shards), 5)
	all, err := w.Sample(t.Context(), "support", 1, 200, 1)
	require.NoError(t, err)
	require.Len(t, all, 95)
}
