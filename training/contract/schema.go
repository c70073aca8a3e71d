package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// schema is the subset of JSON Schema that the contract uses; training/continual/schema.py checks the same one.
type schema struct {
	Type                 oneOrMany         `json:"type"`
	Enum                 []any             `json:"enum"`
	Const                any               `json:"const"`
	Properties           map[string]schema `json:"properties"`
	Required             []string          `json:"required"`
	AdditionalProperties *bool             `json:"additionalProperties"`
	Items                *schema           `json:"items"`
	MinItems             *int              `json:"minItems"`
	MinLength            *int              `json:"minLength"`
	Minimum              *float64          `json:"minimum"`
	Maximum              *float64          `json:"maximum"`
	ExclusiveMinimum     *float64          `json:"exclusiveMinimum"`
}

// oneOrMany reads "string" and ["string", "array"] alike.
type oneOrMany []string

// UnmarshalJSON reads either form.
func (o *oneOrMany) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

func (s schema) errors(value any, path string) []string {
	if len(s.Type) > 0 && !slices.ContainsFunc(s.Type, func(t string) bool { return is(value, t) }) {
		return []string{fmt.Sprintf("%s: must be %s, is %s", place(path), strings.Join(s.Type, " or "), kind(value))}
	}
	out := s.scalar(value, path)
	switch v := value.(type) {
	case map[string]any:
		out = append(out, s.object(v, path)...)
	case []any:
		out = append(out, s.array(v, path)...)
	}
	return out
}

// is tells whether a value is of a JSON type; an integer may be written 3.0.
func is(value any, want string) bool {
	number, isNumber := value.(json.Number)
	switch want {
	case "number":
		return isNumber
	case "integer":
		f, err := number.Float64()
		return isNumber && err == nil && f == math.Trunc(f)
	}
	return kind(value) == want
}

func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func place(path string) string {
	if path == "" {
		return "(root)"
	}
	return path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (s schema) scalar(value any, path string) (out []string) {
	if s.Enum != nil && !slices.ContainsFunc(s.Enum, func(e any) bool { return same(e, value) }) {
		out = append(out, fmt.Sprintf("%s: must be one of %s; is %v", place(path), list(s.Enum), value))
	}
	if s.Const != nil && !same(s.Const, value) {
		out = append(out, fmt.Sprintf("%s: must be %s; is %v", place(path), quoted(s.Const), value))
	}
	switch v := value.(type) {
	case json.Number:
		out = append(out, s.bounds(v, path)...)
	case string:
		if s.MinLength != nil && utf8.RuneCountInString(v) < *s.MinLength {
			out = append(out, fmt.Sprintf("%s: must have at least %d characters", place(path), *s.MinLength))
		}
	}
	return out
}

// same compares a schema's value with a document's, whose numbers are kept as written.
func same(want, got any) bool {
	if n, ok := got.(json.Number); ok {
		f, err := n.Float64()
		return err == nil && want == f
	}
	return reflect.DeepEqual(want, got)
}

func list(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}

func quoted(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + v + "'"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v] // as Python writes it
	}
	return fmt.Sprint(v)
}

func (s schema) bounds(n json.Number, path string) (out []string) {
	v, err := n.Float64()
	if err != nil {
		return []string{fmt.Sprintf("%s: %s is out of range", place(path), n)}
	}
	for _, b := range []struct {
		limit *float64
		ok    func(limit float64) bool
		words string
	}{
		{s.Minimum, func(m float64) bool { return v >= m }, "at least"},
		{s.ExclusiveMinimum, func(m float64) bool { return v > m }, "above"},
		{s.Maximum, func(m float64) bool { return v <= m }, "at most"},
	} {
		if b.limit != nil && !b.ok(*b.limit) {
			out = append(out, fmt.Sprintf("%s: must be %s %v; is %s", place(path), b.words, *b.limit, n))
		}
	}
	return out
}

func (s schema) object(value map[string]any, path string) (out []string) {
	for _, key := range s.Required {
		if _, there := value[key]; !there {
			out = append(out, join(path, key)+": is required")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(value)) {
		rule, known := s.Properties[key]
		switch {
		case known:
			out = append(out, rule.errors(value[key], join(path, key))...)
		case s.AdditionalProperties != nil && !*s.AdditionalProperties:
			legal := strings.Join(slices.Sorted(maps.Keys(s.Properties)), ", ")
			out = append(out, fmt.Sprintf("%s: unknown key; legal here: %s", join(path, key), legal))
		}
	}
	return out
}

func (s schema) array(value []any, path string) (out []string) {
	if s.MinItems != nil && len(value) < *s.MinItems {
		out = append(out, fmt.Sprintf("%s: needs at least %d items; has %d", place(path), *s.MinItems, len(value)))
	}
	for i, item := range value {
		if s.Items != nil {
			out = append(out, s.Items.errors(item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return out
}
