package gate

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// words makes strings of bytes cheaply.
type words struct {
	seen map[string]string // one copy of what repeats on every line: names, locks, capabilities
	// Apart, since they live differently long: items and clusters are kept, outputs soon forgotten.
	items, clusters, outputs slab
}

func newWords() *words { return &words{seen: map[string]string{}} }

func (w *words) keep(b []byte) string {
	if s, ok := w.seen[string(b)]; ok { // no copy for the lookup
		return s
	}
	s := string(b)
	if len(w.seen) < 1<<16 {
		w.seen[s] = s
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

// fast parses the usual line, a flat object of plain strings and numbers, about five times faster than
// encoding/json. ok is false for anything else: the caller then parses again by the book.
func (w *words) fast(line []byte, r *Result) (hasScore, ok bool) {
	c := cursor{b: line}
	if !c.eat('{') {
		return false, false
	}
	for {
		key, okKey := c.plainString()
		if !okKey || !c.eat(':') {
			return false, false
		}
		if !w.value(&c, string(key), r) {
			return false, false
		}
		hasScore = hasScore || string(key) == "score"
		if c.eat(',') {
			continue
		}
		return hasScore, c.eat('}') && c.at == len(c.b)
	}
}

// value sets the field of a key; unknown scalars are skipped.
func (w *words) value(c *cursor, key string, r *Result) bool {
	c.spaces()
	if c.at < len(c.b) && c.b[c.at] == '"' {
		s, ok := c.plainString()
		return ok && w.setString(key, s, r)
	}
	if key == "mustPass" {
		return c.bool(&r.MustPass)
	}
	x, ok := c.number()
	return ok && setNumber(key, x, r)
}

func (w *words) setString(key string, s []byte, r *Result) bool {
	switch key {
	case "benchmark":
		r.Benchmark = w.keep(s)
	case "lock":
		r.Lock = w.keep(s)
	case "capability":
		r.Capability = w.keep(s)
	case "item":
		r.Item = w.items.keep(s)
	case "cluster":
		r.Cluster = w.clusters.keep(s)
	case "error":
		r.Error = string(s)
	case "output":
		r.Output = w.outputs.keep(s)
	default:
		return setRare(key, s, r)
	}
	return true
}

// setRare refuses a string where a number or a truth value belongs, in any letter case.
func setRare(key string, s []byte, r *Result) bool {
	switch key {
	case "prompt":
		r.Prompt = string(s)
	case "target":
		r.Target = string(s)
	default:
		return false
	}
	return true
}

func setNumber(key string, x float64, r *Result) bool {
	switch key {
	case "score":
		r.Score = x
	case "latencyMs":
		r.LatencyMs = x
	case "tokens":
		r.Tokens = int(x)
		return float64(r.Tokens) == x
	default:
		return false
	}
	return true
}

// cursor walks over a line.
type cursor struct {
	b  []byte
	at int
}

func (c *cursor) spaces() {
	for c.at < len(c.b) && (c.b[c.at] == ' ' || c.b[c.at] == '\t') {
		c.at++
	}
}

func (c *cursor) eat(want byte) bool {
	c.spaces()
	if c.at < len(c.b) && c.b[c.at] == want {
		c.at++
		return true
	}
	return false
}

// plainString reads a string without escapes and control characters.
func (c *cursor) plainString() ([]byte, bool) {
	if !c.eat('"') {
		return nil, false
	}
	end := bytes.IndexByte(c.b[c.at:], '"')
	if end < 0 {
		return nil, false
	}
	s := c.b[c.at : c.at+end]
	for _, x := range s {
		if x == '\\' || x < ' ' {
			return nil, false
		}
	}
	c.at += end + 1
	return s, true
}

func (c *cursor) bool(to *bool) bool {
	for word, value := range map[string]bool{"true": true, "false": false} {
		if bytes.HasPrefix(c.b[c.at:], []byte(word)) {
			c.at += len(word)
			*to = value
			return true
		}
	}
	return false
}

// number reads a JSON number.
func (c *cursor) number() (float64, bool) {
	start := c.at
	for c.at < len(c.b) && isNumberByte(c.b[c.at]) {
		c.at++
	}
	text := c.b[start:c.at]
	if len(text) == 1 && text[0] >= '0' && text[0] <= '9' {
		return float64(text[0] - '0'), true
	}
	if !json.Valid(text) {
		return 0, false
	}
	x, err := strconv.ParseFloat(string(text), 64)
	return x, err == nil
}

func isNumberByte(b byte) bool {
	return (b >= '0' && b <= '9') || b == '.' || b == '-' || b == '+' || b == 'e' || b == 'E'
}
