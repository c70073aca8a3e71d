package gate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// words makes strings of bytes cheaply.
type words struct {
	seen                        map[string]string // one copy of what repeats: names, locks, capabilities
	benchmark, lock, capability string            // of the line before: mostly the same again
	// Apart, since they live differently long: items and clusters are kept, outputs soon forgotten.
	items, clusters, outputs slab
}

func newWords() *words { return &words{seen: map[string]string{}} }

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
	c := cursor{b: line}
	if !c.eat('{') {
		return false, false
	}
	for {
		key, okKey := c.text()
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

// value sets the field of a key; a null leaves all but a score as it is.
func (w *words) value(c *cursor, key string, r *Result) bool {
	c.spaces()
	switch c.peek() {
	case '"':
		s, ok := c.text()
		return ok && w.setString(key, s, r)
	case 'n':
		return c.null(key, r)
	case 't':
		r.MustPass = true
		return key == "mustPass" && c.word("true")
	case 'f':
		r.MustPass = false
		return key == "mustPass" && c.word("false")
	}
	x, ok := c.number()
	return ok && setNumber(key, x, r)
}

func (c *cursor) null(key string, r *Result) bool {
	if key == "error" {
		r.Error = ""
	}
	return key != "score" && !strange(key) && c.word("null")
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
		return setRare(key, s, r)
	}
	return true
}

// setRare refuses a string where a number or a truth value belongs.
func setRare(key string, s []byte, r *Result) bool {
	switch key {
	case "prompt":
		r.Prompt = string(s)
	case "target":
		r.Target = string(s)
	default:
		return unknown(key)
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
		return unknown(key)
	}
	return true
}

// fields are the names of a result line. encoding/json takes them in any letter case.
var fields = []string{"benchmark", "lock", "capability", "item", "cluster", "score", "error", "mustPass", "output",
	"latencyMs", "tokens", "prompt", "target"}

// unknown tells that a key is no field in any letter case, so that its value does not matter.
func unknown(key string) bool {
	return !slices.ContainsFunc(fields, func(f string) bool { return strings.EqualFold(f, key) })
}

// strange tells that a key is a field, but in other letters.
func strange(key string) bool { return !slices.Contains(fields, key) && !unknown(key) }

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

// peek is the next byte, 0 at the end.
func (c *cursor) peek() byte {
	if c.at < len(c.b) {
		return c.b[c.at]
	}
	return 0
}

// text reads a string; the bytes are the line's own unless it holds escapes.
func (c *cursor) text() ([]byte, bool) {
	if !c.eat('"') {
		return nil, false
	}
	start, escaped := c.at, false
	for ; c.at < len(c.b); c.at++ {
		switch x := c.b[c.at]; {
		case x == '"':
			c.at++
			return unescape(c.b[start-1:c.at], escaped)
		case x == '\\':
			escaped = true
			c.at++
		case x < ' ':
			return nil, false
		}
	}
	return nil, false
}

// simpleEscapes are those of one letter.
var simpleEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape resolves escapes of one letter and leaves the others to encoding/json.
func unescape(quoted []byte, escaped bool) ([]byte, bool) {
	text := quoted[1 : len(quoted)-1]
	if !escaped {
		return text, true
	}
	out := make([]byte, 0, len(text))
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return append(out, text...), true
		}
		letter := simpleEscapes[text[at+1]] // text ends in no lone backslash, or its quote were escaped
		if letter == 0 {
			var s string
			err := json.Unmarshal(quoted, &s)
			return []byte(s), err == nil
		}
		out = append(append(out, text[:at]...), letter)
		text = text[at+2:]
	}
}

func (c *cursor) word(word string) bool {
	ok := bytes.HasPrefix(c.b[c.at:], []byte(word))
	c.at += len(word)
	return ok
}

// number reads a JSON number.
func (c *cursor) number() (float64, bool) {
	start := c.at
	for c.at < len(c.b) && isNumberByte(c.b[c.at]) {
		c.at++
	}
	text := c.b[start:c.at]
	if x, ok := shortDecimal(text); ok {
		return x, true
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

var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// shortDecimal reads digits with at most one point among them. Up to 15 digits, both the digits as a whole number
// and the power of ten are exact, so that one division rounds as strconv does (Clinger 1990).
func shortDecimal(text []byte) (float64, bool) {
	if len(text) == 0 || len(text) > 15 || (text[0] == '0' && len(text) > 1 && text[1] != '.') {
		return 0, false
	}
	whole, fraction, pointed := bytes.Cut(text, []byte("."))
	if pointed && (len(whole) == 0 || len(fraction) == 0) {
		return 0, false
	}
	n, ok := digits(0, whole)
	n, okToo := digits(n, fraction)
	return float64(n) / powersOfTen[len(fraction)], ok && okToo
}

// digits appends the digits of text to a whole number.
func digits(n int64, text []byte) (int64, bool) {
	for _, b := range text {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = 10*n + int64(b-'0')
	}
	return n, true
}
