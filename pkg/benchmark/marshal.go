package benchmark

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// indexMagic names the binary form of an index.
const indexMagic = "perennial-index/1\n"

// MarshalBinary gives the index as bytes: a header of labels as JSON, then the tables, little-endian.
func (ix *Index) MarshalBinary() ([]byte, error) {
	labels, err := json.Marshal(ix.labels)
	if err != nil {
		return nil, fmt.Errorf("marshal index labels: %w", err)
	}
	out := []byte(indexMagic)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(labels)))
	out = append(out, labels...)
	for _, n := range ix.needs {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	for _, t := range []*gramTable{&ix.long, &ix.short, &ix.whole} {
		out = binary.LittleEndian.AppendUint64(out, uint64(len(t.hashes)))
		for i, h := range t.hashes {
			out = binary.LittleEndian.AppendUint64(out, h)
			out = binary.LittleEndian.AppendUint32(out, t.items[i])
		}
	}
	return out, nil
}

// UnmarshalBinary reads what MarshalBinary wrote and refuses anything else.
func (ix *Index) UnmarshalBinary(b []byte) error {
	rest, ok := bytes.CutPrefix(b, []byte(indexMagic))
	if !ok {
		return errs.New(errs.Invalid, "not a benchmark index").Mend("build the index again")
	}
	r := indexReader{b: rest}
	fresh := Index{}
	if err := json.Unmarshal(r.take(int(r.length(1))), &fresh.labels); err != nil {
		r.bad = true
	}
	for range fresh.labels {
		fresh.needs = append(fresh.needs, r.uint32())
	}
	for _, t := range []*gramTable{&fresh.long, &fresh.short, &fresh.whole} {
		r.table(t, len(fresh.labels))
	}
	if r.bad || len(r.b) > 0 {
		return errs.New(errs.Invalid, "the benchmark index is damaged").Mend("build the index again")
	}
	*ix = fresh
	return nil
}

// indexReader reads with bounds; bad stays set after the first fault.
type indexReader struct {
	b   []byte
	bad bool
}

func (r *indexReader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *indexReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// length reads a count of things of size bytes each that must still fit.
func (r *indexReader) length(size int) uint64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(len(r.b)/size) {
		r.bad = true
		return 0
	}
	return n
}

func (r *indexReader) table(t *gramTable, items int) {
	n := r.length(12)
	for i := uint64(0); i < n && !r.bad; i++ {
		b := r.take(12)
		hash, item := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:])
		r.bad = int(item) >= items || (i > 0 && hash < t.hashes[i-1])
		t.append(hash, item)
	}
	t.buildFilter()
}
