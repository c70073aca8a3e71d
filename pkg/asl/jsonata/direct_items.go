package jsonata

import (
	"bytes"
	"encoding/json"
	"slices"
)

// overItems is $map or $filter of an array with a function that is written in place, of an item and perhaps its
// index.
type overItems struct {
	name   string
	items  expr
	params []string
	body   expr
}

// maxCalls bounds the calls of functions in one template; the reference implementation, which is watched, does
// what needs more.
const maxCalls = 20000

func (e overItems) eval(s *frame) (value, bool) {
	v, ok := e.items.eval(s)
	items, isArray := v.items()
	if !ok || !isArray || s.has(e.name) {
		return value{}, false
	}
	b := bytes.NewBufferString("[")
	kept := 0
	for i, raw := range items {
		result, keep, ok := e.call(s, i, raw)
		if !ok || b.Len() > maxDirect {
			return value{}, false
		}
		if !keep {
			continue
		}
		if kept > 0 {
			b.WriteByte(',')
		}
		if kept++; !result.write(b) {
			return value{}, false
		}
	}
	b.WriteByte(']')
	return value{kind: 'j', raw: b.Bytes(), made: true}, kept > 1 // one stands for itself, none for nothing
}

// call gives what the function makes of an item and whether it belongs into the result.
func (e overItems) call(s *frame, i int, raw json.RawMessage) (result value, keep, ok bool) {
	item, ok := valueOf(raw)
	if *s.calls++; !ok || *s.calls > maxCalls {
		return item, false, false
	}
	vars := map[string]value{e.params[0]: item}
	if len(e.params) > 1 {
		vars[e.params[1]] = value{kind: 'n', number: float64(i)}
	}
	result, ok = e.body.eval(&frame{outer: s, vars: vars, calls: s.calls})
	if e.name == "map" {
		return result, true, ok
	}
	return item, result.truth, ok && result.kind == 'b'
}

// overItems compiles $map(…, function($v, $i){ … }) and $filter.
func (n node) overItems(name string) (expr, bool) {
	var args []json.RawMessage
	if json.Unmarshal(n["arguments"], &args) != nil || len(args) != 2 || name != "map" && name != "filter" {
		return nil, false
	}
	var f node
	if json.Unmarshal(args[1], &f) != nil || f.text("type") != "lambda" || !f.only("arguments", "body") {
		return nil, false
	}
	params, ok := f.params()
	items, okItems := compile(args[0])
	body, okBody := f.called()
	return overItems{name, items, params, body}, ok && okItems && okBody
}

// called compiles a function's body; one that is a call is wrapped for the reference's tail calls.
func (n node) called() (expr, bool) {
	var body node
	if json.Unmarshal(n["body"], &body) == nil && string(body["thunk"]) == "true" {
		return body.child("body")
	}
	return n.child("body")
}

// params are the names of a function's parameters, when there are one or two.
func (n node) params() (names []string, ok bool) {
	var vars []node
	if json.Unmarshal(n["arguments"], &vars) != nil || len(vars) < 1 || len(vars) > 2 {
		return nil, false
	}
	for _, v := range vars {
		name := v.text("value")
		if v.text("type") != "variable" || !v.only("value") || name == "" || slices.Contains(names, name) {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}
