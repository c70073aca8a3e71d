package dataset

import (
	"cmp"
	"slices"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// mostExamples is how many examples a group keeps.
const mostExamples = 5

// groups counts broken rules.
type groups map[string]*ErrorGroup

// add counts one broken rule; line 0 is the file as a whole.
func (g groups) add(line int64, p *rows.Problem) {
	group := g[p.Rule]
	if group == nil {
		group = &ErrorGroup{Rule: p.Rule}
		g[p.Rule] = group
	}
	group.Count++
	if len(group.Examples) < mostExamples {
		masked, _ := rows.MaskText(p.Found)
		group.Examples = append(group.Examples, Example{Line: line, Pointer: p.Pointer, Expected: p.Expected, Found: masked})
	}
}

// list gives the groups, the most frequent first.
func (g groups) list() []ErrorGroup {
	out := make([]ErrorGroup, 0, len(g))
	for _, group := range g {
		group.explain()
		out = append(out, *group)
	}
	slices.SortFunc(out, func(a, b ErrorGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}
