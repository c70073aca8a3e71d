package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// test is one entry of a field's list. An absent test holds for fields that do not exist, and only for those.
type test struct {
	absent bool
	holds  func(v any) bool
}

// operators are the names of match types.
var operators = map[string]bool{
	"prefix": true, "suffix": true, "anything-but": true, "numeric": true, "exists": true, "cidr": true, "wildcard": true, "equals-ignore-case": true,
}

func sortedKeys(o map[string]any) []string { return slices.Sorted(maps.Keys(o)) }

func parseTests(items []any) ([]test, error) {
	if len(items) == 0 {
		return nil, invalid("Empty arrays are not allowed")
	}
	out := make([]test, 0, len(items))
	for _, it := range items {
		t, err := parseTest(it)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func parseTest(v any) (test, error) {
	switch v := v.(type) {
	case []any:
		return test{}, invalid("Match value must be String, number, true, false, or null")
	case map[string]any:
		return parseOperator(v)
	}
	return test{holds: equals(v)}, nil
}

// equals compares a literal; numbers by value, whatever their spelling.
func equals(want any) func(any) bool {
	if n, ok := want.(json.Number); ok {
		return func(v any) bool {
			got, ok := v.(json.Number)
			return ok && sameNumber(n, got)
		}
	}
	return func(v any) bool { return v == want }
}

func parseOperator(o map[string]any) (test, error) {
	if len(o) == 0 {
		return test{}, invalid("Empty objects are not allowed")
	}
	if len(o) > 1 {
		return test{}, invalid("Only one key allowed in match expression")
	}
	name := sortedKeys(o)[0]
	arg := o[name]
	parse, ok := map[string]func(any) (test, error){
		"exists": parseExists, "prefix": affix("prefix", strings.HasPrefix), "suffix": affix("suffix", strings.HasSuffix),
		"equals-ignore-case": parseIgnoreCase, "wildcard": parseWildcardTest, "cidr": parseCIDR,
		"numeric": parseNumeric, "anything-but": parseAnythingBut,
	}[name]
	if !ok {
		return test{}, invalid("Unrecognized match type %s", name)
	}
	return parse(arg)
}

func parseExists(arg any) (test, error) {
	want, ok := arg.(bool)
	if !ok {
		return test{}, invalid("exists match pattern must be either true or false.")
	}
	return test{absent: !want, holds: func(any) bool { return want }}, nil
}

// onText makes a test that only texts can pass.
func onText(f func(string) bool) test {
	return test{holds: func(v any) bool {
		s, ok := v.(string)
		return ok && f(s)
	}}
}

// affix parses prefix and suffix, plain or with equals-ignore-case inside.
func affix(name string, has func(s, part string) bool) func(any) (test, error) {
	return func(arg any) (test, error) {
		switch arg := arg.(type) {
		case string:
			return onText(func(s string) bool { return has(s, arg) }), nil
		case map[string]any:
			part, ok := arg["equals-ignore-case"].(string)
			if len(arg) == 1 && ok {
				return onText(func(s string) bool { return has(fold(s), fold(part)) }), nil
			}
		}
		return test{}, invalid("%s match pattern must be a string", name)
	}
}

// fold makes texts comparable without regard to case.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

func parseIgnoreCase(arg any) (test, error) {
	want, ok := arg.(string)
	if !ok {
		return test{}, invalid("equals-ignore-case match pattern must be a string")
	}
	return onText(func(s string) bool { return fold(s) == fold(want) }), nil
}

func parseWildcardTest(arg any) (test, error) {
	w, err := wildcardOf(arg)
	if err != nil {
		return test{}, err
	}
	return onText(w.match), nil
}

func wildcardOf(arg any) (wildcard, error) {
	s, ok := arg.(string)
	if !ok {
		return nil, invalid("wildcard match pattern must be a string")
	}
	return parseWildcard(s)
}
