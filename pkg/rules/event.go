package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
)

// field is one leaf of an event: its name, the keys joined with dots, its value and the array elements
// that it lies in.
type field struct {
	name  string
	value any // string, json.Number, bool or nil
	at    position
}

// position says, for each array of objects that a field lies in, in which element.
type position map[string]int

// fits tells whether two fields can belong to one match: they must not lie in different elements of one array.
func (p position) fits(q position) bool {
	for array, i := range p {
		if j, ok := q[array]; ok && i != j {
			return false
		}
	}
	return true
}

func (p position) with(q position) position {
	if len(q) == 0 {
		return p
	}
	out := maps.Clone(q)
	maps.Copy(out, p)
	return out
}

// Event is a parsed event.
type Event struct{ fields map[string][]field }

// ErrEvent tells that an event is not a JSON object.
//
//lint:ignore ST1005 these are AWS's words
var ErrEvent = errors.New("Parameter Event is not valid.")

// ParseEvent reads an event.
func ParseEvent(raw []byte) (Event, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var root map[string]any
	if err := d.Decode(&root); err != nil || root == nil {
		return Event{}, ErrEvent
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Event{}, ErrEvent
	}
	e := Event{fields: map[string][]field{}}
	e.object(root, "", nil)
	return e, nil
}

func (e Event) object(o map[string]any, prefix string, at position) {
	for key, v := range o {
		name := key
		if prefix != "" {
			name = prefix + "." + key
		}
		e.value(v, name, at)
	}
}

func (e Event) value(v any, name string, at position) {
	switch v := v.(type) {
	case map[string]any:
		e.object(v, name, at)
	case []any:
		e.array(v, name, name, at)
	default:
		e.fields[name] = append(e.fields[name], field{name, v, at})
	}
}

// array adds the elements; objects remember which element they are. id tells nested arrays apart.
func (e Event) array(items []any, name, id string, at position) {
	for i, it := range items {
		switch it := it.(type) {
		case map[string]any:
			e.object(it, name, position{id: i}.with(at))
		case []any:
			e.array(it, name, fmt.Sprintf("%s[%d]", id, i), at)
		default:
			e.value(it, name, at)
		}
	}
}
