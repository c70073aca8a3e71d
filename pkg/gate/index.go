package gate

import "hash/maphash"

// index finds rows by benchmark and item. It holds row numbers only, a sixth of what a map of strings takes; the
// names are in the rows.
type index struct {
	seed  maphash.Seed
	slots []int32 // a row's number plus one, 0 when free; a power of two of them, at most half taken
}

// minSlots is the size of the first table.
const minSlots = 1 << 10

// find looks a row up.
func (x *index) find(rows []row, bench int32, item string) (at int32, ok bool) {
	if len(x.slots) == 0 {
		return -1, false
	}
	for slot := x.start(bench, item); x.slots[slot] != 0; slot = x.next(slot) {
		at = x.slots[slot] - 1
		if rows[at].bench == bench && rows[at].item == item {
			return at, true
		}
	}
	return -1, false
}

// add puts the last of the rows in, which must not be there yet.
func (x *index) add(rows []row) {
	if 2*len(rows) <= len(x.slots) {
		x.put(rows, int32(len(rows)-1))
		return
	}
	if x.slots == nil {
		x.seed = maphash.MakeSeed()
	}
	x.slots = make([]int32, max(minSlots, 2*len(x.slots)))
	for at := range rows {
		x.put(rows, int32(at))
	}
}

func (x *index) put(rows []row, at int32) {
	slot := x.start(rows[at].bench, rows[at].item)
	for x.slots[slot] != 0 {
		slot = x.next(slot)
	}
	x.slots[slot] = at + 1
}

func (x *index) start(bench int32, item string) int {
	hash := maphash.String(x.seed, item) + uint64(bench)*0x9e3779b97f4a7c15
	return int(hash>>32) & (len(x.slots) - 1)
}

func (x *index) next(slot int) int { return (slot + 1) & (len(x.slots) - 1) }
