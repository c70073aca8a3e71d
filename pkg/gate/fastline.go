package gate

import (
	"slices"
	"strings"
)

// words makes strings of bytes cheaply.
type words struct {
	seen                        map[string]string // one copy of what repeats: names, locks, capabilities
	benchmark, lock, capability string            // of the line before: mostly the same again
	// Apart, since they live differently long: items and clusters are kept, outputs soon forgotten.
	items, clusters, outputs slab
	cursor                   cursor          // its scratch is kept from line to line
	judged                   map[string]bool // keys that are no fields: whether they are foreign
}

func newWords() *words { return &words{seen: map[string]string{}, judged: map[string]bool{}} }

// keep makes a string of b, sharing one copy with earlier lines; last is the line before's.
func (w *words) keep(b []byte, last *string) string {
	if string(b) == *last {
		return *last
	}
	s, ok := w.seen[string(b)] // no copy for the lookup
	if !ok {
		s = string(b)
		if len(w.seen) < 1<<16 {
			w.seen[s] = s
		}
	}
	*last = s
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
	for {
		key, okKey := c.text()
		if !okKey || !c.eat(':') {
			return false, false
		}
		hasScore = hasScore || string(key) == "score"
		if !w.value(c, string(key), r) {
			return false, false
		}
		if c.eat(',') {
			continue
		}
		return hasScore, c.eat('}') && c.at == len(c.b)
	}
}

// value sets the field of a key; a null leaves all but a score as it is.
func (w *words) value(c *cursor, key string, r *Result) bool {
	c.spaces()
	switch c.peek() {
	case '"':
		s, ok := c.text()
		return ok && w.setString(key, s, r)
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
	case "benchmark":
		r.Benchmark = w.keep(s, &w.benchmark)
	case "lock":
		r.Lock = w.keep(s, &w.lock)
	case "capability":
		r.Capability = w.keep(s, &w.capability)
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
