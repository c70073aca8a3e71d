package dataset

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// MaxSample is the largest sample.
const MaxSample = 200

// Sample gives n rows of a version, each row as likely as any other. The same version, n and seed give the
// same rows.
func (s *Service) Sample(ctx context.Context, dataset string, number, n int, seed uint64) ([]Row, error) {
	if n < 1 || n > MaxSample {
		return nil, errs.New(errs.Invalid, "a sample of %d rows", n).At("/n").Mend("ask for 1 to %d", MaxSample)
	}
	v, err := s.Version(ctx, dataset, number)
	if err != nil {
		return nil, err
	}
	picks, err := s.pick(ctx, v, n, seed)
	if err != nil {
		return nil, err
	}
	out := make([]Row, 0, len(picks))
	for _, shard := range v.Shards {
		if out, err = s.fetch(ctx, shard, picks, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ticket is a row's draw; the lowest ones win.
type ticket struct {
	id   rows.ID
	draw uint64
}

// pick draws by a hash of id and seed, so that one pass over the ids in little memory is enough.
func (s *Service) pick(ctx context.Context, v Version, n int, seed uint64) (map[rows.ID]bool, error) {
	var best []ticket
	for _, shard := range v.Shards {
		err := s.eachID(ctx, shard, func(id rows.ID, _ [8]byte) {
			t := ticket{id, mix(binary.BigEndian.Uint64(id[8:]) + seed*0x9e3779b97f4a7c15)}
			if len(best) == n && t.draw >= best[n-1].draw {
				return
			}
			at, _ := slices.BinarySearchFunc(best, t, func(a, b ticket) int { return cmp.Compare(a.draw, b.draw) })
			best = slices.Insert(best[:min(len(best), n-1)], min(at, len(best), n-1), t)
		})
		if err != nil {
			return nil, err
		}
	}
	picks := make(map[rows.ID]bool, len(best))
	for _, t := range best {
		picks[t.id] = true
	}
	return picks, nil
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fetch appends the picked rows of one shard; a shard without any is not read.
func (s *Service) fetch(ctx context.Context, shard Shard, picks map[rows.ID]bool, out []Row) ([]Row, error) {
	at := map[int]rows.ID{}
	i := 0
	err := s.eachID(ctx, shard, func(id rows.ID, _ [8]byte) {
		if picks[id] {
			at[i] = id
		}
		i++
	})
	if err != nil || len(at) == 0 {
		return out, err
	}
	err = s.eachRow(ctx, shard, func(i int, line []byte) bool {
		if id, ok := at[i]; ok {
			out = append(out, row(id, shard, line))
			delete(at, i)
		}
		return len(at) > 0
	})
	return out, err
}
