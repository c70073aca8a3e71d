package dataset

import (
	"context"
	"encoding/json"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// Diff is what changed from one version to another.
type Diff struct {
	Dataset         string         `json:"dataset"`
	Base            int            `json:"base"`
	Other           int            `json:"other"`
	Added           int            `json:"added"`   // rows that only Other has, changed ones included
	Removed         int            `json:"removed"` // rows that only Base has, changed ones included
	Changed         int            `json:"changed"` // prompts that both answer, differently
	Unchanged       int            `json:"unchanged"`
	ShardsAdded     []Shard        `json:"shardsAdded"`
	ShardsRemoved   []Shard        `json:"shardsRemoved"`
	ExamplesAdded   []Row          `json:"examplesAdded"` // at most diffExamples each
	ExamplesRemoved []Row          `json:"examplesRemoved"`
	Topics          map[string]int `json:"topics"` // change in rows by topic, of those that changed
}

const diffExamples = 20

// Diff compares two versions by row. Shards that both have are not read, and of the others only the ids
// and a few examples.
func (s *Service) Diff(ctx context.Context, dataset string, base, other int) (Diff, error) {
	a, err := s.Version(ctx, dataset, base)
	if err != nil {
		return Diff{}, err
	}
	b, err := s.Version(ctx, dataset, other)
	if err != nil {
		return Diff{}, err
	}
	d := Diff{Dataset: dataset, Base: base, Other: other, Topics: map[string]int{},
		ShardsAdded: orEmpty(without(b.Shards, a.Shards)), ShardsRemoved: orEmpty(without(a.Shards, b.Shards))}
	if err := s.diffRows(ctx, &d); err != nil {
		return d, err
	}
	d.Unchanged = b.Rows - d.Added
	d.topics(a.Stats.Topics, b.Stats.Topics)
	return d, nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (d *Diff) topics(a, b map[string]int) {
	for topic, n := range b {
		if n != a[topic] {
			d.Topics[topic] = n - a[topic]
		}
	}
	for topic, n := range a {
		if _, still := b[topic]; !still {
			d.Topics[topic] = -n
		}
	}
}

// side is one version's rows outside of the common shards.
type side struct {
	ids     map[rows.ID]struct{}
	prompts map[[8]byte]struct{}
}

func (s *Service) side(ctx context.Context, shards []Shard) (side, error) {
	out := side{map[rows.ID]struct{}{}, map[[8]byte]struct{}{}}
	for _, shard := range shards {
		err := s.eachID(ctx, shard, func(id rows.ID, prompt [8]byte) {
			out.ids[id] = struct{}{}
			out.prompts[prompt] = struct{}{}
		})
		if err != nil {
			return out, err
		}
	}
	delete(out.prompts, [8]byte{}) // rows of plain text answer nothing
	return out, nil
}

func (s *Service) diffRows(ctx context.Context, d *Diff) error {
	removed, err := s.side(ctx, d.ShardsRemoved)
	if err != nil {
		return err
	}
	added, err := s.side(ctx, d.ShardsAdded)
	if err != nil {
		return err
	}
	both := 0
	for id := range added.ids {
		if _, ok := removed.ids[id]; ok {
			both++
		}
	}
	d.Added, d.Removed = len(added.ids)-both, len(removed.ids)-both
	for prompt := range added.prompts {
		if _, ok := removed.prompts[prompt]; ok {
			d.Changed++
		}
	}
	d.Changed = max(0, d.Changed-both)
	if d.ExamplesAdded, err = s.examples(ctx, d.ShardsAdded, removed); err != nil {
		return err
	}
	d.ExamplesRemoved, err = s.examples(ctx, d.ShardsRemoved, added)
	return err
}

// examples gives the first rows of the shards that the other side lacks.
func (s *Service) examples(ctx context.Context, shards []Shard, other side) ([]Row, error) {
	out := []Row{}
	for _, shard := range shards {
		var ids []rows.ID
		err := s.eachID(ctx, shard, func(id rows.ID, _ [8]byte) { ids = append(ids, id) })
		if err != nil {
			return nil, err
		}
		err = s.eachRow(ctx, shard, func(i int, line []byte) bool {
			if _, there := other.ids[ids[i]]; !there {
				out = append(out, row(ids[i], shard, line))
			}
			return len(out) < diffExamples
		})
		if err != nil || len(out) == diffExamples {
			return out, err
		}
	}
	return out, nil
}

func row(id rows.ID, shard Shard, line []byte) Row {
	return Row{ID: id.String(), Shard: shard.SHA256, Body: json.RawMessage(append([]byte(nil), line...))}
}
