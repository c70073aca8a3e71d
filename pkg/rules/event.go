package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
)

// field is one leaf of an event and the array elements that it lies in.
type field struct {
	value value
	in    position
}

// position says, for each array of objects or arrays that a field lies in, in which element.
type position map[int]int

// with joins two positions; ok is false when they lie in different elements of one array.
func (p position) with(q position) (joined position, ok bool) {
	joined = p
	for array, i := range q {
		j, known := p[array]
		if known && i != j {
			return nil, false
		}
		if !known {
			if len(joined) == len(p) {
				joined = maps.Clone(p)
			}
			if joined == nil {
				joined = position{}
			}
			joined[array] = i
		}
	}
	return joined, true
}

// Event is a parsed event: its leaves by name, the keys joined with dots. A key that comes twice has both values.
type Event struct{ fields map[string][]field }

// ErrEvent tells that an event is not a JSON object.
//
//lint:ignore ST1005 these are AWS's words
var ErrEvent = errors.New("Parameter Event is not valid.")

// ParseEvent reads an event.
func ParseEvent(raw []byte) (Event, error) {
	if !json.Valid(raw) {
		return Event{}, ErrEvent
	}
	r := reader{Decoder: json.NewDecoder(bytes.NewReader(raw)), event: Event{fields: map[string][]field{}}}
	r.UseNumber()
	if t, err := r.Token(); err != nil || t != json.Delim('{') {
		return Event{}, ErrEvent
	}
	if err := r.object("", nil); err != nil {
		return Event{}, ErrEvent
	}
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return Event{}, ErrEvent
	}
	return r.event, nil
}

type reader struct {
	*json.Decoder
	event  Event
	arrays int
}

func (r *reader) object(prefix string, in position) error {
	for r.More() {
		key, err := r.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if prefix != "" {
			name = prefix + "." + name
		}
		if err := r.value(name, in, in); err != nil {
			return err
		}
	}
	_, err := r.Token()
	return err
}

// value reads a value; brackets lie at inner, leaves at in.
func (r *reader) value(name string, in, inner position) error {
	t, err := r.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return r.object(name, inner)
	case json.Delim('['):
		return r.array(name, inner)
	}
	r.event.fields[name] = append(r.event.fields[name], field{leaf(t), in})
	return nil
}

// array reads elements; objects and arrays in it remember which element they are.
func (r *reader) array(name string, in position) error {
	id := r.arrays
	r.arrays++
	for i := 0; r.More(); i++ {
		inner, _ := position{id: i}.with(in)
		if err := r.value(name, in, inner); err != nil {
			return err
		}
	}
	_, err := r.Token()
	return err
}

func leaf(t json.Token) value {
	switch t := t.(type) {
	case string:
		return value{isString, t}
	case json.Number:
		return value{isNumber, t.String()}
	case bool:
		if t {
			return value{isLiteral, "true"}
		}
		return value{isLiteral, "false"}
	}
	return value{isLiteral, "null"}
}
