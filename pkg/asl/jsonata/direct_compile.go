package jsonata

import (
	"encoding/json"
	"slices"
	"strings"
)

// node is a node of the reference implementation's syntax tree.
type node map[string]json.RawMessage

// compile turns a syntax tree into an expr; it is false when any part of it has to be left to the
// reference implementation. Each node may have only the members that are known here, so that nothing
// is overlooked.
func compile(raw json.RawMessage) (expr, bool) {
	var n node
	if json.Unmarshal(raw, &n) != nil {
		return nil, false
	}
	f := compilers[n.text("type")]
	if f == nil {
		return nil, false
	}
	return f(n)
}

var compilers map[string]func(node) (expr, bool)

func init() { // not a literal: the compilers call compile
	compilers = map[string]func(node) (expr, bool){
		"number": node.literal, "string": node.literal, "value": node.literal, "variable": node.variable, "path": node.path,
		"binary": node.binary, "unary": node.unary, "condition": node.condition, "block": node.block, "bind": node.bind, "function": node.function,
	}
}

func (n node) text(key string) (s string) {
	_ = json.Unmarshal(n[key], &s)
	return s
}

// only tells whether the node has no members beside these; flags that are false do not count.
func (n node) only(keys ...string) bool {
	for k, v := range n {
		if k != "type" && k != "position" && string(v) != "false" && !slices.Contains(keys, k) {
			return false
		}
	}
	return true
}

func (n node) child(key string) (expr, bool) { return compile(n[key]) }

func (n node) children(key string) (out []expr, ok bool) {
	var raws []json.RawMessage
	if json.Unmarshal(n[key], &raws) != nil {
		return nil, false
	}
	for _, raw := range raws {
		e, ok := compile(raw)
		if !ok {
			return nil, false
		}
		out = append(out, e)
	}
	return out, true
}

func (n node) literal() (expr, bool) {
	v, ok := valueOf(n["value"])
	return constant{v}, ok && v.kind != 'j' && n.only("value")
}

func (n node) variable() (expr, bool) {
	name := n.text("value")
	return variable(name), name != "" && name != "$" && n.only("value")
}

func (n node) path() (expr, bool) {
	var steps []node
	if json.Unmarshal(n["steps"], &steps) != nil || len(steps) == 0 || !n.only("steps") || steps[0].text("type") != "variable" {
		return nil, false
	}
	from, ok := steps[0].variable()
	if !ok {
		return nil, false
	}
	p := path{from: from}
	for _, s := range steps[1:] {
		st, ok := s.step()
		if !ok {
			return nil, false
		}
		p.steps = append(p.steps, st)
	}
	return p, true
}

func (n node) step() (step, bool) {
	st := step{name: n.text("value")}
	if n.text("type") != "name" || st.name == "__proto__" || !n.only("value", "stages") {
		return st, false
	}
	if n["stages"] == nil {
		return st, true
	}
	var stages []struct {
		Type string
		Expr struct {
			Type  string
			Value json.RawMessage
		}
	}
	if json.Unmarshal(n["stages"], &stages) != nil || len(stages) != 1 || stages[0].Type != "filter" || stages[0].Expr.Type != "number" {
		return st, false
	}
	return st, json.Unmarshal(stages[0].Expr.Value, &st.index) == nil
}

var operators = strings.Fields("& and or + - * / % = != < <= > >=")

func (n node) binary() (expr, bool) {
	op := n.text("value")
	left, okLeft := n.child("lhs")
	right, okRight := n.child("rhs")
	return binary{op, left, right}, okLeft && okRight && slices.Contains(operators, op) && n.only("value", "lhs", "rhs")
}

func (n node) unary() (expr, bool) {
	switch n.text("value") {
	case "-":
		of, ok := n.child("expression")
		return negate{of}, ok && n.only("value", "expression")
	case "[":
		items, ok := n.children("expressions")
		return list(items), ok && n.only("value", "expressions", "consarray")
	case "{":
		return n.record()
	}
	return nil, false
}

func (n node) record() (expr, bool) {
	var pairs [][2]json.RawMessage
	if json.Unmarshal(n["lhs"], &pairs) != nil || !n.only("value", "lhs") {
		return nil, false
	}
	var r record
	for _, pair := range pairs {
		key, okKey := compile(pair[0])
		v, okValue := compile(pair[1])
		name, isConstant := key.(constant)
		if !okKey || !okValue || !isConstant || name.kind != 's' || slices.Contains(r.keys, name.text) || reordered([]byte(name.text)) {
			return nil, false
		}
		r.keys, r.values = append(r.keys, name.text), append(r.values, v)
	}
	return r, true
}

func (n node) condition() (expr, bool) {
	c, ok := n.child("condition")
	then, okThen := n.child("then")
	otherwise, okElse := n.child("else")
	return choose{c, then, otherwise}, ok && okThen && okElse && n.only("condition", "then", "else")
}

func (n node) block() (expr, bool) {
	all, ok := n.children("expressions")
	return block(all), ok && len(all) > 0 && n.only("expressions")
}

func (n node) bind() (expr, bool) {
	var to node
	if json.Unmarshal(n["lhs"], &to) != nil || !to.only("value") {
		return nil, false
	}
	v, ok := n.child("rhs")
	return bind{to.text("value"), v}, ok && n.only("value", "lhs", "rhs")
}

func (n node) function() (expr, bool) {
	var procedure node
	if json.Unmarshal(n["procedure"], &procedure) != nil || procedure.text("type") != "variable" || !procedure.only("value") {
		return nil, false
	}
	name := procedure.text("value")
	if over, ok := n.overItems(name); ok {
		return over, n.only("value", "name", "procedure", "arguments")
	}
	args, ok := n.children("arguments")
	f := functions[name]
	if !ok || len(args) != 1 || f == nil || !n.only("value", "name", "procedure", "arguments") {
		return nil, false
	}
	return call{name, f, args[0]}, true
}
