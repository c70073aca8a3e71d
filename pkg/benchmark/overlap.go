package benchmark

// Overlaps tells whether a training row's text (its prompt and completion, joined by a space or a newline)
// holds a benchmark item, and names one such item as "benchmark/item".
func (ix *Index) Overlaps(text string) (item string, found bool) {
	ix.Matches(text, func(label string) bool {
		item, found = label, true
		return false
	})
	return item, found
}

// Matches calls yield with each benchmark item that the text holds, once; it stops when yield returns false.
func (ix *Index) Matches(text string, yield func(item string) bool) {
	s := scan{ix: ix, long: newRoller(longGram), short: newRoller(shortGram), whole: hashStart, yield: yield}
	eachWord(text, s.word)
	if !s.done && s.words > 0 {
		s.flagAll(ix.whole.find(mix(s.whole)))
	}
}

// scan is the state of one pass over a text.
type scan struct {
	ix          *Index
	long, short roller
	whole       uint64
	words       int
	hits        map[uint32]map[uint64]struct{} // distinct short n-grams seen, by item
	flagged     map[uint32]bool
	yield       func(string) bool
	done        bool
}

func (s *scan) word(hash uint64) bool {
	s.words++
	s.whole = s.whole*rollBase + hash
	if gram := s.long.push(hash); s.words >= longGram {
		s.flagAll(s.ix.long.find(gram))
	}
	if gram := s.short.push(hash); s.words >= shortGram {
		for _, item := range s.ix.short.find(gram) {
			s.count(item, gram)
		}
	}
	return !s.done
}

func (s *scan) count(item uint32, gram uint64) {
	if s.hits == nil {
		s.hits = map[uint32]map[uint64]struct{}{}
	}
	if s.hits[item] == nil {
		s.hits[item] = map[uint64]struct{}{}
	}
	s.hits[item][gram] = struct{}{}
	if uint32(len(s.hits[item])) >= s.ix.needs[item] {
		s.flag(item)
	}
}

func (s *scan) flagAll(items []uint32) {
	for _, item := range items {
		s.flag(item)
	}
}

func (s *scan) flag(item uint32) {
	if s.done || s.flagged[item] {
		return
	}
	if s.flagged == nil {
		s.flagged = map[uint32]bool{}
	}
	s.flagged[item] = true
	s.done = !s.yield(s.ix.labels[item])
}
