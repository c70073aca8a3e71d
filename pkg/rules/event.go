package rules

import (
	"encoding/json"
	"errors"
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
	r := reader{raw: raw, event: Event{fields: map[string][]field{}}}
	if r.next() != '{' {
		return Event{}, ErrEvent
	}
	r.object("", nil)
	return r.event, nil
}
