package rules

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// reader collects the leaves of a JSON text that is known to be valid; encoding/json's decoder, which hands out
// tokens, takes five times as long.
type reader struct {
	raw    []byte
	at     int
	event  Event
	arrays int
}

// next gives the next byte that is not white space, commas and colons, without passing it.
func (r *reader) next() byte {
	for bytes.IndexByte([]byte(" \t\r\n,:"), r.raw[r.at]) >= 0 {
		r.at++
	}
	return r.raw[r.at]
}

func (r *reader) object(prefix string, in position) {
	r.at++
	for r.next() != '}' {
		name := r.string()
		if prefix != "" {
			name = prefix + "." + name
		}
		r.value(name, in, in)
	}
	r.at++
}

// value reads a value; brackets lie at inner, leaves at in.
func (r *reader) value(name string, in, inner position) {
	switch r.next() {
	case '{':
		r.object(name, inner)
	case '[':
		r.array(name, inner)
	default:
		r.event.fields[name] = append(r.event.fields[name], field{r.leaf(), in})
	}
}

// array reads elements; objects and arrays in it remember which element they are.
func (r *reader) array(name string, in position) {
	id := r.arrays
	r.arrays++
	r.at++
	for i := 0; r.next() != ']'; i++ {
		var inner position
		if c := r.raw[r.at]; c == '{' || c == '[' {
			inner, _ = position{id: i}.with(in)
		}
		r.value(name, in, inner)
	}
	r.at++
}

func (r *reader) leaf() value {
	from := r.at
	switch c := r.raw[from]; c {
	case '"':
		return value{isString, r.string()}
	case 't', 'f', 'n':
		r.at += len("null")
		if c == 'f' {
			r.at++
		}
		return value{isLiteral, string(r.raw[from:r.at])}
	}
	for r.at < len(r.raw) && bytes.IndexByte([]byte("+-.eE0123456789"), r.raw[r.at]) >= 0 {
		r.at++
	}
	return value{isNumber, string(r.raw[from:r.at])}
}

// string reads a text; what is escaped or no UTF-8 is left to encoding/json.
func (r *reader) string() string {
	from, plain := r.at, true
	for r.at++; r.raw[r.at] != '"'; r.at++ {
		if r.raw[r.at] == '\\' {
			plain = false
			r.at++
		}
	}
	r.at++
	text := r.raw[from:r.at]
	if plain && utf8.Valid(text) {
		return string(text[1 : len(text)-1])
	}
	var s string
	_ = json.Unmarshal(text, &s)
	return s
}
