package jsonata

import (
	"math"
	"strings"
	"unicode/utf8"
)

// binary is a pair of values joined by an operator.
type binary struct {
	op          string
	left, right expr
}

func (e binary) eval(s *frame) (value, bool) {
	a, ok := e.left.eval(s)
	if !ok {
		return value{}, false
	}
	b, ok := e.right.eval(s)
	if !ok {
		return value{}, false
	}
	switch e.op {
	case "&":
		return concatenate(a, b)
	case "and":
		return value{kind: 'b', truth: a.truth && b.truth}, a.kind == 'b' && b.kind == 'b'
	case "or":
		return value{kind: 'b', truth: a.truth || b.truth}, a.kind == 'b' && b.kind == 'b'
	case "+", "-", "*", "/", "%":
		return arithmetic(a, e.op, b)
	}
	return compared(a, e.op, b)
}

func concatenate(a, b value) (value, bool) {
	x, okX := a.string()
	y, okY := b.string()
	if !okX || !okY || len(x)+len(y) > maxDirect {
		return value{}, false
	}
	return text(x + y)
}

func arithmetic(a value, op string, b value) (value, bool) {
	if a.kind != 'n' || b.kind != 'n' {
		return value{}, false
	}
	x, y := a.number, b.number
	switch op {
	case "+":
		return number(x + y)
	case "-":
		return number(x - y)
	case "*":
		return number(x * y)
	case "/":
		return number(x / y)
	}
	return number(math.Mod(x, y))
}

// compared compares scalars of one type; texts are ordered only where bytes and UTF-16 agree.
func compared(a value, op string, b value) (value, bool) {
	if a.kind != b.kind {
		return value{}, false
	}
	switch {
	case a.kind == 'n':
		return truth(ordered(a.number, op, b.number))
	case a.kind == 's' && (op == "=" || op == "!=" || ascii(a.text) && ascii(b.text)):
		return truth(ordered(a.text, op, b.text))
	case a.kind == 'b' && (op == "=" || op == "!="):
		return truth((a.truth == b.truth) == (op == "="))
	}
	return value{}, false
}

func ordered[T float64 | string](a T, op string, b T) bool {
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

// negate is a minus sign.
type negate struct{ of expr }

func (e negate) eval(s *frame) (value, bool) {
	v, ok := e.of.eval(s)
	return value{kind: 'n', number: -v.number}, ok && v.kind == 'n'
}

// call is a function of one argument.
type call struct {
	name string
	f    func(value) (value, bool)
	of   expr
}

func (e call) eval(s *frame) (value, bool) {
	v, ok := e.of.eval(s)
	if !ok || s.has(e.name) {
		return value{}, false
	}
	return e.f(v)
}

// functions are those that are answered here, for the arguments that each accepts.
var functions = map[string]func(value) (value, bool){
	"count":   countOf,
	"sum":     func(v value) (value, bool) { return fold(v, 0, func(a, b float64) float64 { return a + b }) },
	"max":     func(v value) (value, bool) { return foldSome(v, math.Inf(-1), math.Max) },
	"min":     func(v value) (value, bool) { return foldSome(v, math.Inf(1), math.Min) },
	"average": averageOf,
	"string": func(v value) (value, bool) {
		s, ok := v.string()
		return value{kind: 's', text: s}, ok
	},
	"length": func(v value) (value, bool) {
		return value{kind: 'n', number: float64(utf8.RuneCountInString(v.text))}, v.kind == 's'
	},
	"uppercase": func(v value) (value, bool) {
		return value{kind: 's', text: strings.ToUpper(v.text)}, v.kind == 's' && ascii(v.text)
	},
	"lowercase": func(v value) (value, bool) {
		return value{kind: 's', text: strings.ToLower(v.text)}, v.kind == 's' && ascii(v.text)
	},
	"not":    func(v value) (value, bool) { return value{kind: 'b', truth: !v.truth}, v.kind == 'b' },
	"abs":    func(v value) (value, bool) { return value{kind: 'n', number: math.Abs(v.number)}, v.kind == 'n' },
	"floor":  func(v value) (value, bool) { return value{kind: 'n', number: math.Floor(v.number)}, v.kind == 'n' },
	"ceil":   func(v value) (value, bool) { return value{kind: 'n', number: math.Ceil(v.number)}, v.kind == 'n' },
	"exists": func(value) (value, bool) { return truth(true) }, // what is missing never comes here
}

func countOf(v value) (value, bool) {
	items, ok := v.items()
	return value{kind: 'n', number: float64(len(items))}, ok
}

// fold goes through an array of numbers in order.
func fold(v value, initial float64, f func(a, b float64) float64) (value, bool) {
	items, ok := v.items()
	if !ok {
		return value{}, false
	}
	for _, raw := range items {
		it, ok := valueOf(raw)
		if !ok || it.kind != 'n' {
			return value{}, false
		}
		initial = f(initial, it.number)
	}
	return number(initial)
}

func foldSome(v value, initial float64, f func(a, b float64) float64) (value, bool) {
	if items, ok := v.items(); !ok || len(items) == 0 {
		return value{}, false
	}
	return fold(v, initial, f)
}

func averageOf(v value) (value, bool) {
	sum, ok := foldSome(v, 0, func(a, b float64) float64 { return a + b })
	if !ok {
		return value{}, false
	}
	items, _ := v.items()
	return number(sum.number / float64(len(items)))
}
