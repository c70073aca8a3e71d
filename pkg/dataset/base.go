package dataset

import (
	"context"
	"sync"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// base is the set of row ids of one dataset version, with the shards that they are from.
type base struct {
	dataset string
	shards  map[string]bool
	rows    *seen
}

// mostKept is the largest base that is kept for the next check; it takes about 12 bytes a row.
const mostKept = 2_000_000

// bases keeps the last used base, so that a stream of small files reads only what each one added. A base is
// taken out while it is used: who comes meanwhile makes another.
type bases struct {
	mu   sync.Mutex
	last *base
}

// take gives a base of the dataset that holds nothing but shards of the list.
func (b *bases) take(dataset string, shards []Shard) *base {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := b.last
	if last == nil || last.dataset != dataset || !last.within(shards) {
		return &base{dataset: dataset, shards: map[string]bool{}, rows: newSeen()}
	}
	b.last = nil
	return last
}

func (b *bases) keep(last *base) {
	if last.rows.n > mostKept {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = last
}

func (b *base) within(shards []Shard) bool {
	n := 0
	for _, shard := range shards {
		if b.shards[shard.SHA256] {
			n++
		}
	}
	return n == len(b.shards)
}

// base gives the row ids of the dataset's newest version.
func (s *Service) base(ctx context.Context, ds Dataset) (*base, error) {
	newest, err := s.newest(ctx, ds)
	if err != nil {
		return nil, err
	}
	b := s.bases.take(ds.ID, newest.Shards)
	for _, shard := range newest.Shards {
		if b.shards[shard.SHA256] {
			continue
		}
		if err := s.eachID(ctx, shard, func(id rows.ID, _ [8]byte) { b.rows.add(id) }); err != nil {
			return nil, err
		}
		b.shards[shard.SHA256] = true
	}
	return b, nil
}
