package dataset

import (
	"context"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/table"
)

// maxEdges is how many edges fit into the transaction of a version beside its other operations.
const maxEdges = 80

// edges links a version to what it was made of: its parent when it has all of that, and the shards that
// the parent lacks, each with its ingestion. What does not fit into the transaction comes late.
func edges(v, parent Version, most int) (early, late []table.Op) {
	to := lineage.VersionNode(v.Dataset, v.Number)
	var all []table.Op
	if parent.Number > 0 && len(without(parent.Shards, v.Shards)) == 0 {
		all = append(all, lineage.Edge(lineage.VersionNode(v.Dataset, parent.Number), to))
	} else {
		parent = Version{}
	}
	for _, shard := range without(v.Shards, parent.Shards) {
		all = append(all, lineage.Edge(ingestionNode(shard.Ingestion), shardNode(shard)), lineage.Edge(shardNode(shard), to))
	}
	n := min(most, len(all))
	return all[:n:n], all[n:]
}

// lateEdges are those that a crash may have left out.
func (s *Service) lateEdges(ctx context.Context, v Version) ([]table.Op, error) {
	parent := Version{}
	if v.Parent > 0 {
		var err error
		if parent, err = s.Version(ctx, v.Dataset, v.Parent); err != nil {
			return nil, err
		}
	}
	_, late := edges(v, parent, maxEdges)
	return late, nil
}

// writeEdges writes edges outside of a transaction with the log: they say nothing that the version does
// not say, and writing one twice changes nothing.
func (s *Service) writeEdges(ctx context.Context, ops []table.Op) error {
	for len(ops) > 0 {
		n := min(len(ops), 100)
		if err := s.Table.Write(ctx, "", ops[:n]...); err != nil {
			return fmt.Errorf("write lineage: %w", err)
		}
		ops = ops[n:]
	}
	return nil
}

// without gives the shards of a that b lacks.
func without(a, b []Shard) []Shard {
	have := make(map[string]bool, len(b))
	for _, shard := range b {
		have[shard.SHA256] = true
	}
	var out []Shard
	for _, shard := range a {
		if !have[shard.SHA256] {
			out = append(out, shard)
		}
	}
	return out
}
