package asl

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

// allow says which members of $states a template may read beside input and context.
type allow struct{ result, errorOutput bool }

// template checks all expressions in a value.
func (l *linter) template(v *tree, at string, before assigned, a allow) {
	switch {
	case v == nil:
	case v.kind == "object":
		for _, k := range v.keys {
			if strings.HasSuffix(k, ".$") {
				l.add(SeverityWarning, CodePath, at+"/"+k, "the key is written as for JSONPath, but nothing evaluates it in JSONata")
			}
			l.template(v.vals[k], at+"/"+k, before, a)
		}
	case v.kind == "array":
		for i, it := range v.items {
			l.template(it, fmt.Sprintf("%s[%d]", at, i), before, a)
		}
	case jsonata.IsExpression(v.str()):
		l.expression(jsonata.Source(v.str()), at, before, a)
	default:
		l.plainText(v.str(), at)
	}
}

// plainText looks for texts that were meant to be expressions: AWS refuses an expression that is opened or
// closed only, and takes one with anything around its markers for a plain text.
func (l *linter) plainText(text, at string) {
	opens, closes := strings.HasPrefix(text, "{%"), strings.HasSuffix(text, "%}")
	switch {
	case opens || closes:
		l.refuse(at, "The JSONata expression is not properly opened or closed: it must start with '{%%' and end with '%%}'")
	case strings.Contains(text, "{%"):
		l.add(SeverityWarning, CodeExpression, at, "this is a plain text, not an expression: nothing may stand before '{%%' or after '%%}'")
	}
}

// builtins are jsonata's functions, without $eval, and Step Functions' own.
var builtins = strings.Fields(`sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match
contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power random boolean not map
zip filter single reduce sift keys lookup append exists spread merge reverse each error assert type sort shuffle distinct base64encode
base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl fromMillis toMillis now millis clone
partition range hash uuid parse`)

func (l *linter) expression(source, at string, before assigned, a allow) {
	facts, err := expressions().Inspect(source)
	if err != nil {
		var syntax *jsonata.SyntaxError
		if errors.As(err, &syntax) {
			l.refuse(at, "Invalid JSONata expression: %s", syntax.Message)
		} else {
			l.refuse(at, "Invalid JSONata expression: %v", err)
		}
		return
	}
	l.forbidden(facts, at)
	for _, path := range facts.States {
		l.statesPath(path, at, a)
	}
	for _, f := range facts.Functions {
		l.function(f, at, before)
	}
	for _, v := range facts.Variables {
		l.variable(v, at, before)
	}
}

// forbidden reports what Step Functions does not let expressions refer to.
func (l *linter) forbidden(f jsonata.Facts, at string) {
	if f.Root || f.Context {
		l.refuse(at, "JSONata expressions cannot use '$' or '$$' at the top level: use $states.input")
	}
	if len(f.Names) > 0 {
		l.refuse(at, "JSONata expressions cannot use unqualified names at the top level: %s", list(f.Names))
	}
	if f.AssignsStates {
		l.refuse(at, "The variable $states is reserved and cannot be assigned")
	}
}

func (l *linter) statesPath(path []string, at string, a allow) {
	if len(path) == 0 {
		return
	}
	switch name := path[0]; {
	case name == "input", name == "context", name == "result" && a.result, name == "errorOutput" && a.errorOutput:
	case name == "result":
		l.refuse(at, "$states.result is only available in Output and Assign of Task, Parallel and Map states")
	case name == "errorOutput":
		l.refuse(at, "$states.errorOutput is only available in Catch")
	default:
		l.refuse(at, "$states.%s does not exist: use input, result, errorOutput or context", name)
	}
}

func (l *linter) function(name, at string, before assigned) {
	switch {
	case name == "eval":
		l.refuse(at, "The function $eval is not supported")
	case strings.HasPrefix(name, "?"):
		l.refuse(at, "'%s' is called without $", name[1:])
	case !slices.Contains(builtins, name):
		l.variable(name, at, before)
	}
}

func (l *linter) variable(name, at string, before assigned) {
	if slices.Contains(builtins, name) || before.always[name] {
		return
	}
	if before.maybe[name] {
		l.add(SeverityWarning, CodeVariable, at, "the variable $%s is not assigned on every path that leads here", name)
		return
	}
	l.add(SeverityWarning, CodeVariable, at, "the variable $%s is not assigned on any path that leads here", name)
}

var variableName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]{0,79}$`)

// assign checks an Assign field and its variable names.
func (l *linter) assign(v *tree, at string, before assigned, a allow) {
	if v == nil {
		return
	}
	if v.kind != "object" {
		l.refuse(at, "Value is not an object")
		return
	}
	for _, name := range v.keys {
		switch {
		case name == "states":
			l.refuse(at+"/"+name, "The variable $states is reserved and cannot be assigned")
		case !variableName.MatchString(name):
			l.refuse(at+"/"+name, "Variable names are identifiers of at most 80 characters")
		case before.surrounding[name]:
			l.refuse(at+"/"+name, "The variable $%s belongs to an outer scope and cannot be assigned here", name)
		}
	}
	l.template(v, at, before, a)
}
