package dataset

import (
	"encoding/binary"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// seen is a set of row ids in little memory: 16 bits of an id choose a bucket, 64 more are kept in it. Two
// of ten million rows agree in those 80 bits with a probability of 4·10⁻¹¹. It takes about 12 bytes a row.
type seen struct {
	buckets []bucket
	n       int
}

// bucket is an open-addressing hash table; 0 is an empty slot.
type bucket struct {
	slots []uint64
	n     int
}

const buckets = 1 << 16

// newSeen leaves the table unmade until the first row: many sets stay empty.
func newSeen() *seen { return &seen{} }

// add puts an id into the set and tells whether it is new.
func (s *seen) add(id rows.ID) bool {
	if s.buckets == nil {
		s.buckets = make([]bucket, buckets)
	}
	b, fingerprint := s.place(id)
	at, found := b.find(fingerprint)
	if found {
		return false
	}
	if s.n++; b.n >= len(b.slots)*3/4 {
		b.grow()
		at, _ = b.find(fingerprint)
	}
	b.slots[at] = fingerprint
	b.n++
	return true
}

// has tells whether the id is in the set.
func (s *seen) has(id rows.ID) bool {
	if s.n == 0 {
		return false
	}
	b, fingerprint := s.place(id)
	_, found := b.find(fingerprint)
	return found
}

func (s *seen) place(id rows.ID) (*bucket, uint64) {
	fingerprint := binary.BigEndian.Uint64(id[2:])
	if fingerprint == 0 {
		fingerprint = 1
	}
	return &s.buckets[binary.BigEndian.Uint16(id[:])], fingerprint
}

// find gives the place of a fingerprint, or where it would go.
func (b *bucket) find(fingerprint uint64) (at int, found bool) {
	if len(b.slots) == 0 {
		return 0, false
	}
	at = int(fingerprint % uint64(len(b.slots)))
	for b.slots[at] != 0 && b.slots[at] != fingerprint {
		if at++; at == len(b.slots) {
			at = 0
		}
	}
	return at, b.slots[at] == fingerprint
}

// grow makes room for half as many again: buckets are many and small, so memory follows the rows closely.
func (b *bucket) grow() {
	old := b.slots
	b.slots = make([]uint64, max(8, len(old)*3/2))
	for _, fingerprint := range old {
		if fingerprint != 0 {
			at, _ := b.find(fingerprint)
			b.slots[at] = fingerprint
		}
	}
}
