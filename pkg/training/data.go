package training

import (
	"context"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/registry"
)

// seen gives the digests of all shards that a version or one of its ancestors learned from.
func (s *Service) seen(ctx context.Context, v registry.Version) (map[string]dataset.Shard, error) {
	out := map[string]dataset.Shard{}
	for {
		if err := s.addShards(ctx, out, v.Datasets); err != nil || v.Parent == 0 {
			return out, err
		}
		var err error
		if v, err = s.Registry.Version(ctx, v.Model, v.Parent); err != nil {
			return out, err
		}
	}
}

func (s *Service) addShards(ctx context.Context, out map[string]dataset.Shard, refs []registry.DatasetRef) error {
	for _, ref := range refs {
		v, err := s.Datasets.Version(ctx, ref.Dataset, ref.Number)
		if err != nil {
			return err
		}
		for _, sh := range v.Shards {
			out[sh.SHA256] = sh
		}
	}
	return nil
}

// unseen gives the shards of a dataset version that are not among the seen ones.
func unseen(v dataset.Version, seen map[string]dataset.Shard) []dataset.Shard {
	var out []dataset.Shard
	for _, sh := range v.Shards {
		if _, ok := seen[sh.SHA256]; !ok {
			out = append(out, sh)
		}
	}
	return out
}
