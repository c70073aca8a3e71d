package httpapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/lineage"
)

// GetLineage answers getLineage. Environments in the graph say which share of their live traffic goes to
// versions that are in it too: what a walk forward from a shard asks for.
func (h *handler) GetLineage(ctx context.Context, p oas.GetLineageParams) (*oas.Lineage, error) {
	root, err := lineage.Parse(p.Node)
	if err != nil {
		return nil, err
	}
	g, err := h.Lineage.Walk(ctx, root, lineage.Direction(p.Direction.Value), p.Depth.Value)
	if err != nil {
		return nil, err
	}
	out := &oas.Lineage{Nodes: []oas.LineageNode{}, Edges: []oas.LineageEdge{}, Truncated: g.Truncated}
	in := map[lineage.Node]bool{}
	for _, n := range g.Nodes {
		in[n] = true
	}
	for _, n := range g.Nodes {
		node := oas.LineageNode{Type: n.Type, ID: n.ID}
		if n.Type == "environment" {
			if node.Share, err = h.share(ctx, n, in); err != nil {
				return nil, err
			}
		}
		out.Nodes = append(out.Nodes, node)
	}
	for _, e := range g.Edges {
		out.Edges = append(out.Edges, oas.LineageEdge{From: e.From.String(), To: e.To.String()})
	}
	return out, nil
}

// share gives the percent of an environment's traffic that goes to versions of the graph.
func (h *handler) share(ctx context.Context, n lineage.Node, in map[lineage.Node]bool) (oas.OptFloat64, error) {
	model, name, _ := strings.Cut(n.ID, "/")
	e, err := h.Environments.Environment(ctx, model, name)
	if errs.Is(err, errs.NotFound) {
		return oas.OptFloat64{}, nil
	}
	if err != nil {
		return oas.OptFloat64{}, err
	}
	total := 0
	for _, t := range e.Targets {
		if in[lineage.Node{Type: lineage.ModelVersion, ID: fmt.Sprintf("%s@%d", model, t.Version)}] {
			total += t.Weight
		}
	}
	return oas.NewOptFloat64(float64(total)), nil
}
