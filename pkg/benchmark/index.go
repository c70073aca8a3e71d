package benchmark

import (
	"cmp"
	"slices"
)

// The rules of contamination. GPT-3's 13-gram overlap (Brown et al. 2020, arXiv:2005.14165, appendix C),
// turned around: the benchmark is indexed and the training data streams past it once.
const (
	longGram  = 13 // words; any one shared flags an item of at least longItem words
	shortGram = 8  // words; half of an item's flag it when it is shorter than longItem
	longItem  = 26
	// commonGram is how many items may share an n-gram before it counts as template text and flags nothing.
	commonGram = 10
)

// Index is an immutable table of benchmark n-grams. It is safe for concurrent use. Make one with NewIndex or
// UnmarshalBinary; the zero value finds nothing.
type Index struct {
	labels []string // "benchmark/item" by item number
	needs  []uint32 // how many distinct short n-grams flag the item
	long   gramTable
	short  gramTable
	whole  gramTable // hash of the whole question with an answer
}

// NewIndex indexes the items of the versions. An item is found by any 13 words in a row when it has at least
// 26, by half of its runs of 8 words when shorter, and by equality of question and answer in any case.
func NewIndex(versions ...Version) *Index {
	ix := &Index{}
	for _, v := range versions {
		for _, it := range v.Items {
			ix.add(v.Name+"/"+it.ID, it)
		}
	}
	ix.long.finish(commonGram)
	ix.short.finish(commonGram)
	ix.whole.finish(len(ix.labels))
	return ix
}

// Items is the number of items indexed.
func (ix *Index) Items() int { return len(ix.labels) }

func (ix *Index) add(label string, it Item) {
	id := uint32(len(ix.labels))
	ix.labels = append(ix.labels, label)
	answers := it.Answers()
	if len(answers) == 0 {
		answers = []string{""}
	}
	for _, answer := range answers {
		ix.whole.append(wholeHash(wordsOf(it.Question()+" "+answer)), id)
	}
	words := wordsOf(it.Question() + " " + answers[0])
	if len(words) >= longItem {
		ix.long.appendAll(grams(words, longGram), id)
		ix.needs = append(ix.needs, 0)
		return
	}
	short := grams(words, shortGram)
	ix.short.appendAll(short, id)
	ix.needs = append(ix.needs, uint32(len(short)+1)/2)
}

func wordsOf(text string) []uint64 {
	var out []uint64
	eachWord(text, func(h uint64) bool { out = append(out, h); return true })
	return out
}

// grams gives the distinct hashes of n words in a row.
func grams(words []uint64, n int) []uint64 {
	var out []uint64
	r := newRoller(n)
	for i, w := range words {
		if h := r.push(w); i >= n-1 {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wholeHash hashes a whole word sequence.
func wholeHash(words []uint64) uint64 {
	h := uint64(hashStart)
	for _, w := range words {
		h = h*rollBase + w
	}
	return mix(h)
}

// rollBase is the base of the polynomial over word hashes, modulo 2⁶⁴; odd, so that no word is lost.
const rollBase = 0x9e3779b97f4a7c15

// roller keeps the hash of the last n words in constant time per word.
type roller struct {
	ring [longGram]uint64
	n    int
	at   int
	hash uint64
	drop uint64 // rollBaseⁿ
}

func newRoller(n int) roller {
	r := roller{n: n, drop: 1}
	for range n {
		r.drop *= rollBase
	}
	return r
}

func (r *roller) push(word uint64) uint64 {
	r.hash = r.hash*rollBase + word - r.ring[r.at]*r.drop
	r.ring[r.at] = word
	if r.at++; r.at == r.n {
		r.at = 0
	}
	return mix(r.hash)
}

// gramTable maps hashes to items: sorted hashes with their items beside them, and a bit filter that answers
// most misses with one memory access.
type gramTable struct {
	hashes []uint64
	items  []uint32
	filter []uint64
	shift  uint
}

func (t *gramTable) append(hash uint64, item uint32) {
	t.hashes, t.items = append(t.hashes, hash), append(t.items, item)
}

func (t *gramTable) appendAll(hashes []uint64, item uint32) {
	for _, h := range hashes {
		t.append(h, item)
	}
}

// finish sorts the table, drops hashes that more than common items share, and builds the filter.
func (t *gramTable) finish(common int) {
	type entry struct {
		hash uint64
		item uint32
	}
	entries := make([]entry, len(t.hashes))
	for i := range entries {
		entries[i] = entry{t.hashes[i], t.items[i]}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.item, b.item))
	})
	entries = slices.Compact(entries)
	t.hashes, t.items = t.hashes[:0], t.items[:0]
	for i := 0; i < len(entries); {
		j := i
		for j < len(entries) && entries[j].hash == entries[i].hash {
			j++
		}
		if j-i <= common {
			for _, e := range entries[i:j] {
				t.append(e.hash, e.item)
			}
		}
		i = j
	}
	t.buildFilter()
}

// buildFilter takes about 16 bits per hash.
func (t *gramTable) buildFilter() {
	bits := uint(10)
	for 1<<bits < 16*len(t.hashes) {
		bits++
	}
	t.shift = 64 - bits
	t.filter = make([]uint64, 1<<bits/64)
	for _, h := range t.hashes {
		bit := h >> t.shift
		t.filter[bit/64] |= 1 << (bit % 64)
	}
}

// find gives the items of a hash; nil for most.
func (t *gramTable) find(hash uint64) []uint32 {
	if len(t.filter) == 0 {
		return nil
	}
	bit := hash >> t.shift
	if t.filter[bit/64]&(1<<(bit%64)) == 0 {
		return nil
	}
	i, ok := slices.BinarySearch(t.hashes, hash)
	if !ok {
		return nil
	}
	j := i + 1
	for j < len(t.hashes) && t.hashes[j] == hash {
		j++
	}
	return t.items[i:j]
}
