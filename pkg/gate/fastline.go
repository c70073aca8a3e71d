package gate

import (
	"bytes"
	"slices"
	"strings"
)

// words makes strings of bytes cheaply.
type words struct {
	seen                        map[string]string // one copy of what repeats: names, locks, capabilities
	benchmark, lock, capability memo
	layout                      []placed // the keys of the line before
	// Apart, since they live differently long: items and clusters are kept, outputs soon forgotten.
	items, clusters, outputs slab
	cursor                   cursor          // its scratch is kept from line to line
	judged                   map[string]bool // keys that are no fields: whether they are foreign
}

func newWords() *words { return &words{seen: map[string]string{}, judged: map[string]bool{}} }

// share makes a string of b, one copy for all lines that have it.
func (w *words) share(b []byte) string {
	s, ok := w.seen[string(b)] // no copy for the lookup
	if !ok {
		s = string(b)
		if len(w.seen) < 1<<16 {
			w.seen[s] = s
		}
	}
	return s
}

// slab cuts strings from large pieces, so that a million of them are a few hundred allocations.
type slab struct{ piece *strings.Builder }

const slabSize = 64 << 10

func (s *slab) keep(b []byte) string {
	if len(b) > slabSize/8 {
		return string(b)
	}
	if s.piece == nil || s.piece.Cap()-s.piece.Len() < len(b) {
		s.piece = &strings.Builder{}
		s.piece.Grow(slabSize)
	}
	start := s.piece.Len()
	s.piece.Write(b) // within its capacity: earlier strings stay where they are
	return s.piece.String()[start:]
}

// fast parses the usual line, a flat object of strings, numbers and nulls, about five times faster than
// encoding/json. ok is false for anything else: the caller then parses again by the book.
func (w *words) fast(line []byte, r *Result) (hasScore, ok bool) {
	c := &w.cursor
	c.b, c.at = line, 0
	if !c.eat('{') {
		return false, false
	}
	for i := 0; ; i++ {
		key, okKey := w.key(c, i)
		if !okKey {
			return false, false
		}
		hasScore = hasScore || key == "score"
		if !w.value(c, key, r) {
			return false, false
		}
		if c.eat(',') {
			continue
		}
		return hasScore, c.eat('}') && c.at == len(c.b)
	}
}

// key reads the i-th key with its colon. Lines are mostly laid out like the one before, so that its key at this place
// is compared first.
func (w *words) key(c *cursor, i int) (string, bool) {
	c.spaces()
	if i < len(w.layout) {
		if k := &w.layout[i]; bytes.HasPrefix(c.b[c.at:], k.raw) {
			c.at += len(k.raw)
			return k.key, true
		}
		w.layout = w.layout[:i]
	}
	start := c.at
	text, ok := c.text()
	if !ok || !c.eat(':') {
		return "", false
	}
	key := string(text)
	if i < maxLayout {
		w.layout = append(w.layout, placed{key, slices.Clone(c.b[start:c.at])})
	}
	return key, true
}

// placed is a key as it was written, with quotes and colon.
type placed struct {
	key string
	raw []byte
}

// maxLayout bounds the keys whose places are remembered.
const maxLayout = 32

// memo is the last value of a field that mostly stays the same, and how it was written, with its quotes.
type memo struct {
	value string
	raw   []byte
}

// memoOf gives the memo of a field that has one, with the place of its value.
func (w *words) memoOf(key string, r *Result) (*memo, *string) {
	switch key {
	case "benchmark":
		return &w.benchmark, &r.Benchmark
	case "lock":
		return &w.lock, &r.Lock
	case "capability":
		return &w.capability, &r.Capability
	}
	return nil, nil
}

// text sets the field of a key to the string ahead.
func (w *words) text(c *cursor, key string, r *Result) bool {
	m, field := w.memoOf(key, r)
	if m == nil {
		s, ok := c.text()
		return ok && w.setString(key, s, r)
	}
	if len(m.raw) > 0 && bytes.HasPrefix(c.b[c.at:], m.raw) {
		c.at += len(m.raw)
		*field = m.value
		return true
	}
	start := c.at
	s, ok := c.text()
	if ok {
		m.value, m.raw = w.share(s), append(m.raw[:0], c.b[start:c.at]...)
		*field = m.value
	}
	return ok
}

// value sets the field of a key; a null leaves all but a score as it is.
func (w *words) value(c *cursor, key string, r *Result) bool {
	c.spaces()
	switch c.peek() {
	case '"':
		return w.text(c, key, r)
	case 'n':
		return (slices.Contains(fields, key) || w.foreign(key)) && c.null(key, r)
	case 't':
		return w.setTruth(key, true, r) && c.word("true")
	case 'f':
		return w.setTruth(key, false, r) && c.word("false")
	}
	x, ok := c.number()
	return ok && w.setNumber(key, x, r)
}

func (c *cursor) null(key string, r *Result) bool {
	if key == "error" {
		r.Error = ""
	}
	return key != "score" && c.word("null")
}

func (w *words) setString(key string, s []byte, r *Result) bool {
	switch key {
	case "item":
		r.Item = w.items.keep(s)
	case "cluster":
		r.Cluster = w.clusters.keep(s)
	case "error":
		r.Error = string(s)
	case "output":
		r.Output = w.outputs.keep(s)
	default:
		return w.setRare(key, s, r)
	}
	return true
}

func (w *words) setTruth(key string, x bool, r *Result) bool {
	if key == "mustPass" {
		r.MustPass = x
		return true
	}
	return w.foreign(key)
}

// setRare refuses a string where a number or a truth value belongs.
func (w *words) setRare(key string, s []byte, r *Result) bool {
	switch key {
	case "prompt":
		r.Prompt = string(s)
	case "target":
		r.Target = string(s)
	default:
		return w.foreign(key)
	}
	return true
}

func (w *words) setNumber(key string, x float64, r *Result) bool {
	switch key {
	case "score":
		r.Score = x
	case "latencyMs":
		r.LatencyMs = x
	case "tokens":
		r.Tokens = int(x)
		return float64(r.Tokens) == x
	default:
		return w.foreign(key)
	}
	return true
}
