package gate

import "hash/maphash"

// index finds rows by benchmark and item. It holds row numbers and hashes only, a third of what a map of strings takes;
// the names are in the rows. In random order every look at a row is a miss of the cache, so that the hash is compared
// first.
type index struct {
	seed  maphash.Seed
	slots []slot // a power of two of them, at most half taken
}

type slot struct {
	hash uint32
	row  int32 // its number plus one, 0 when free
}

// minSlots is the size of the first table.
const minSlots = 1 << 10

// find looks a row up.
func (x *index) find(rows []row, bench int32, item string) (at int32, ok bool) {
	if len(x.slots) == 0 {
		return -1, false
	}
	hash := x.hash(bench, item)
	for i := x.start(hash); x.slots[i].row != 0; i = x.next(i) {
		if at = x.slots[i].row - 1; x.slots[i].hash == hash && rows[at].bench == bench && rows[at].item == item {
			return at, true
		}
	}
	return -1, false
}

// add puts the last of the rows in, which must not be there yet.
func (x *index) add(rows []row) {
	if x.slots == nil {
		x.seed = maphash.MakeSeed()
	}
	if 2*len(rows) > len(x.slots) {
		old := x.slots
		x.slots = make([]slot, max(minSlots, 2*len(old)))
		for _, s := range old {
			if s.row != 0 {
				x.put(s)
			}
		}
	}
	last := &rows[len(rows)-1]
	x.put(slot{x.hash(last.bench, last.item), int32(len(rows))})
}

func (x *index) put(s slot) {
	i := x.start(s.hash)
	for x.slots[i].row != 0 {
		i = x.next(i)
	}
	x.slots[i] = s
}

func (x *index) hash(bench int32, item string) uint32 {
	return uint32((maphash.String(x.seed, item) + uint64(bench)*0x9e3779b97f4a7c15) >> 32)
}

func (x *index) start(hash uint32) int { return int(hash) & (len(x.slots) - 1) }

func (x *index) next(i int) int { return (i + 1) & (len(x.slots) - 1) }
