package lineage

import (
	"context"
	"fmt"
	"slices"

	"github.com/perennial-llm/perennial/pkg/table"
)

// Direction of a walk.
type Direction string

// The directions.
const (
	Forward  Direction = "forward"  // what was made from it
	Backward Direction = "backward" // what it was made from
)

// MaxNodes bounds a walk; a larger graph comes back Truncated.
const MaxNodes = 10_000

// Graph reads the lineage. Backward walks go through an index and may lag the last writes.
type Graph struct{ Table table.Table }

// Subgraph is what a walk found. Nodes are in order of distance, the root first.
type Subgraph struct {
	Root      Node   `json:"root"`
	Nodes     []Node `json:"nodes"`
	Edges     []Link `json:"edges"`
	Truncated bool   `json:"truncated"` // more than MaxNodes
}

// Walk finds everything within depth steps of the root; depth 0 means without limit.
func (g Graph) Walk(ctx context.Context, root Node, dir Direction, depth int) (Subgraph, error) {
	w := walk{graph: g, dir: dir, seen: map[Node]bool{root: true},
		out: Subgraph{Root: root, Nodes: []Node{root}, Edges: []Link{}}}
	ring := []Node{root}
	for level := 0; len(ring) > 0 && !w.out.Truncated; level++ {
		if depth > 0 && level == depth {
			break
		}
		next, err := w.step(ctx, ring)
		if err != nil {
			return w.out, err
		}
		ring = next
	}
	return w.out, nil
}

type walk struct {
	graph Graph
	dir   Direction
	seen  map[Node]bool
	out   Subgraph
}

// step follows every edge of one ring and gives the nodes that were not seen before.
func (w *walk) step(ctx context.Context, ring []Node) ([]Node, error) {
	var next []Node
	for _, n := range ring {
		links, err := w.graph.links(ctx, n, w.dir)
		if err != nil {
			return nil, fmt.Errorf("walk lineage of %s: %w", n, err)
		}
		for _, l := range links {
			if fresh := w.follow(l); fresh != (Node{}) {
				next = append(next, fresh)
			}
		}
	}
	return next, nil
}

// follow takes one edge and gives its far node when that is new.
func (w *walk) follow(l Link) Node {
	far := l.To
	if w.dir == Backward {
		far = l.From
	}
	if !w.seen[far] && len(w.out.Nodes) == MaxNodes {
		w.out.Truncated = true
		return Node{}
	}
	w.out.Edges = append(w.out.Edges, l)
	if w.seen[far] {
		return Node{}
	}
	w.seen[far] = true
	w.out.Nodes = append(w.out.Nodes, far)
	return far
}

func (g Graph) links(ctx context.Context, n Node, dir Direction) ([]Link, error) {
	q := table.Query{PK: partition(n), Limit: 1000, Consistency: table.Consistent}
	if dir == Backward {
		q.Index, q.Consistency = table.GSI1, table.Eventual
	}
	return table.All[Link](ctx, g.Table, q)
}

// Impact is the blast radius of a node: everything that was made from it, by type.
type Impact struct {
	Root      Node                `json:"root"`
	Reached   map[string][]string `json:"reached"` // type → ids, sorted
	Edges     []Link              `json:"edges"`
	Truncated bool                `json:"truncated"`
}

// BlastRadius answers "what learned from this, and where is it": the whole forward graph by type.
func (g Graph) BlastRadius(ctx context.Context, root Node) (Impact, error) {
	sub, err := g.Walk(ctx, root, Forward, 0)
	im := Impact{Root: root, Reached: map[string][]string{}, Edges: sub.Edges, Truncated: sub.Truncated}
	for _, n := range sub.Nodes[min(1, len(sub.Nodes)):] {
		im.Reached[n.Type] = append(im.Reached[n.Type], n.ID)
	}
	for _, idsOfType := range im.Reached {
		slices.Sort(idsOfType)
	}
	return im, err
}
