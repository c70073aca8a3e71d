package rules

import (
	"encoding/json"
	"strings"
)

const (
	butValue = "Value of anything-but must be an array or single string/number value."
	butList  = "Inside anything but list, start|null|boolean is not supported."
	butFold  = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
)

// parseAnythingBut reads a scalar, a list or one of the operators prefix, suffix, wildcard and
// equals-ignore-case, each with a text or a list of texts. It holds for every existing value that none
// of them matches.
func parseAnythingBut(arg any) (test, error) {
	switch arg := arg.(type) {
	case string, json.Number:
		return but([]func(any) bool{equals(arg)}), nil
	case []any:
		return butLiterals(arg)
	case map[string]any:
		return butOperator(arg)
	}
	return test{}, invalid(butValue)
}

func but(none []func(any) bool) test {
	return test{holds: func(v any) bool {
		for _, f := range none {
			if f(v) {
				return false
			}
		}
		return true
	}}
}

func butLiterals(items []any) (test, error) {
	if len(items) == 0 {
		return test{}, invalid("Empty arrays are not allowed")
	}
	var none []func(any) bool
	texts, numbers := 0, 0
	for _, it := range items {
		switch it.(type) {
		case string:
			texts++
		case json.Number:
			numbers++
		default:
			return test{}, invalid(butList)
		}
		none = append(none, equals(it))
	}
	if texts > 0 && numbers > 0 {
		return test{}, invalid("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return but(none), nil
}

func butOperator(o map[string]any) (test, error) {
	if len(o) != 1 {
		return test{}, invalid("Only one key allowed in match expression")
	}
	name := sortedKeys(o)[0]
	parse, ok := map[string]func(any) (test, error){
		"prefix": butAffix(strings.HasPrefix), "suffix": butAffix(strings.HasSuffix), "wildcard": parseWildcardTest, "equals-ignore-case": butIgnoreCase,
	}[name]
	if !ok {
		return test{}, invalid("Unsupported anything-but pattern: %s", name)
	}
	items, isList := o[name].([]any)
	if !isList {
		items = []any{o[name]}
	} else if len(items) == 0 {
		return test{}, invalid("Empty arrays are not allowed")
	}
	var none []func(any) bool
	for _, it := range items {
		t, err := parse(it)
		if err != nil {
			return test{}, err
		}
		none = append(none, t.holds)
	}
	return but(none), nil
}

func butAffix(has func(s, part string) bool) func(any) (test, error) {
	return func(arg any) (test, error) {
		part, ok := arg.(string)
		switch {
		case ok && part == "":
			return test{}, invalid("Null prefix/suffix not allowed")
		case ok:
			return onText(func(s string) bool { return has(s, part) }), nil
		}
		if _, object := arg.(map[string]any); object {
			return test{}, invalid(butValue)
		}
		return test{}, invalid("prefix/suffix match pattern must be a string")
	}
}

func butIgnoreCase(arg any) (test, error) {
	if _, ok := arg.(string); !ok {
		return test{}, invalid(butFold)
	}
	return parseIgnoreCase(arg)
}
