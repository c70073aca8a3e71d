package lineage_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

func node(t *testing.T, s string) lineage.Node {
	t.Helper()
	n, err := lineage.Parse(s)
	require.NoError(t, err)
	return n
}

// graph writes edges given as "from" → "to" pairs.
func graph(t *testing.T, pairs ...[2]string) lineage.Graph {
	t.Helper()
	tab := porttest.NewMemory(porttest.NewClock().Now)
	for _, p := range pairs {
		require.NoError(t, tab.Write(t.Context(), "", lineage.Edge(node(t, p[0]), node(t, p[1]))))
	}
	return lineage.Graph{Table: tab}
}

func loop(t *testing.T) lineage.Graph {
	t.Helper()
	return graph(t,
		[2]string{"object:incoming/s/a#1.jsonl", "ingestion:ing_1"}, [2]string{"ingestion:ing_1", "shard:aa"},
		[2]string{"shard:aa", "datasetVersion:s@1"}, [2]string{"datasetVersion:s@1", "datasetVersion:s@2"},
		[2]string{"shard:bb", "datasetVersion:s@2"}, [2]string{"datasetVersion:s@2", "run:r1"},
		[2]string{"run:r1", "modelVersion:m@2"}, [2]string{"modelVersion:m@1", "modelVersion:m@2"},
		[2]string{"modelVersion:m@2", "deployment:production"}, [2]string{"datasetVersion:s@2", "run:r1"})
}

func ids(nodes []lineage.Node) (out []string) {
	for _, n := range nodes {
		out = append(out, n.String())
	}
	return out
}

func TestGraph_Walk_ForwardFromAShardToLiveTraffic(t *testing.T) {
	sub, err := loop(t).Walk(t.Context(), node(t, "shard:aa"), lineage.Forward, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"shard:aa", "datasetVersion:s@1", "datasetVersion:s@2", "run:r1", "modelVersion:m@2",
		"deployment:production"}, ids(sub.Nodes))
	require.Len(t, sub.Edges, 5)
	require.False(t, sub.Truncated)
}

func TestGraph_Walk_BackwardFromProductionToTheFile(t *testing.T) {
	sub, err := loop(t).Walk(t.Context(), node(t, "deployment:production"), lineage.Backward, 0)
	require.NoError(t, err)
	require.Contains(t, ids(sub.Nodes), "object:incoming/s/a#1.jsonl")
	require.Contains(t, ids(sub.Nodes), "shard:bb")
	require.Len(t, sub.Nodes, 10)
}

func TestGraph_Walk_StopsAtTheDepth(t *testing.T) {
	sub, err := loop(t).Walk(t.Context(), node(t, "shard:aa"), lineage.Forward, 2)
	require.NoError(t, err)
	require.Equal(t, []string{"shard:aa", "datasetVersion:s@1", "datasetVersion:s@2"}, ids(sub.Nodes))
}

func TestGraph_Walk_EndsInARing(t *testing.T) {
	sub, err := graph(t, [2]string{"a:1", "b:1"}, [2]string{"b:1", "a:1"}, [2]string{"a:1", "a:1"}).
		Walk(t.Context(), node(t, "a:1"), lineage.Forward, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"a:1", "b:1"}, ids(sub.Nodes))
	require.Len(t, sub.Edges, 3)
}

func TestGraph_BlastRadius_IsByType(t *testing.T) {
	im, err := loop(t).BlastRadius(t.Context(), node(t, "ingestion:ing_1"))
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"shard": {"aa"}, "datasetVersion": {"s@1", "s@2"}, "run": {"r1"},
		"modelVersion": {"m@2"}, "deployment": {"production"}}, im.Reached)
	alone, err := loop(t).BlastRadius(t.Context(), node(t, "shard:zz"))
	require.NoError(t, err)
	require.Empty(t, alone.Reached)
}

func TestGraph_Walk_SaysThatThereIsMore(t *testing.T) {
	tab := porttest.NewMemory(porttest.NewClock().Now)
	ops := make([]table.Op, 0, 100)
	for i := range lineage.MaxNodes + 50 {
		ops = append(ops, lineage.Edge(node(t, "object:o"), lineage.VersionNode("s", i)))
		if len(ops) == 100 {
			require.NoError(t, tab.Write(t.Context(), "", ops...))
			ops = ops[:0]
		}
	}
	sub, err := lineage.Graph{Table: tab}.Walk(t.Context(), node(t, "object:o"), lineage.Forward, 0)
	require.NoError(t, err)
	require.True(t, sub.Truncated)
	require.Len(t, sub.Nodes, lineage.MaxNodes)
}

type broken struct{ table.Table }

var errBroken = errors.New("broken")

func (broken) Query(context.Context, table.Query) (table.Page, error) { return table.Page{}, errBroken }

func TestGraph_Walk_PassesErrorsOn(t *testing.T) {
	_, err := lineage.Graph{Table: broken{}}.BlastRadius(t.Context(), node(t, "shard:aa"))
	require.ErrorIs(t, err, errBroken)
}

func TestParse_Refuses(t *testing.T) {
	for _, s := range []string{"", "shard", ":x", "shard:"} {
		_, err := lineage.Parse(s)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), s)
	}
}
