package asl

import (
	"fmt"
	"slices"
	"strings"
)

// languageErrors are the error names of the language itself.
var languageErrors = []string{
	errAll, errTaskFail, errTimeout, errHeartbeat, errQuery, errLimit, errRuntime, errThreshold, errReader,
	"States.NoChoiceMatched", "States.ResultWriterFailed", "States.BranchFailed", "States.Permissions", "States.ParameterPathFailure", "States.ResultPathMatchFailure",
	"States.IntrinsicFailure", "States.Http.Socket",
}

const maxDelay = 31622399 // less than a year and a day, in seconds

func (l *linter) retries(v *tree, at string) {
	for i, r := range l.rules(v, at) {
		here := fmt.Sprintf("%s[%d]", at, i)
		l.fields(r, here, []string{"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment"})
		l.errorEquals(r, here, i == len(v.items)-1)
		l.oneOf(r, here, "JitterStrategy", "FULL", "NONE")
		for field, bounds := range map[string][2]float64{
			"IntervalSeconds": {1, maxSeconds}, "MaxAttempts": {0, maxSeconds}, "MaxDelaySeconds": {1, maxDelay}, "BackoffRate": {1, 1e9},
		} {
			if n := r.get(field); n != nil {
				l.wholeNumber(n, here+"/"+field, bounds[0], bounds[1], field == "BackoffRate")
			}
		}
		interval := max(constant(r.get("IntervalSeconds")), 1)
		if d := r.get("MaxDelaySeconds"); d != nil && d.kind == "number" && constant(d) <= interval {
			l.refuse(here+"/MaxDelaySeconds", "MaxDelaySeconds must be greater than IntervalSeconds")
		}
	}
}

func (l *linter) catches(v *tree, at string, before assigned) {
	for i, c := range l.rules(v, at) {
		here := fmt.Sprintf("%s[%d]", at, i)
		l.fields(c, here, []string{"ErrorEquals", "Next", "Output", "Assign", "Comment"})
		l.errorEquals(c, here, i == len(v.items)-1)
		l.kind(c.get("Next"), here+"/Next", "string")
		if !c.has("Next") {
			l.refuse(here, "These fields are required: [Next]")
		}
		l.template(c.get("Output"), here+"/Output", before, allow{errorOutput: true})
		l.assign(c.get("Assign"), here+"/Assign", before, allow{errorOutput: true})
	}
}

// rules gives the objects of a Retry or Catch array.
func (l *linter) rules(v *tree, at string) []*tree {
	if v == nil {
		return nil
	}
	if v.kind != "array" {
		l.refuse(at, "Value is not an array")
		return nil
	}
	for i, r := range v.items {
		if r.kind != "object" {
			l.refuse(fmt.Sprintf("%s[%d]", at, i), "Value is not an object")
			return nil
		}
	}
	return v.items
}

func (l *linter) errorEquals(r *tree, at string, last bool) {
	names := r.get("ErrorEquals")
	at += "/ErrorEquals"
	if names == nil || names.kind != "array" || len(names.items) == 0 {
		l.refuse(at, "Value cannot be empty")
		return
	}
	for _, n := range names.items {
		name := n.str()
		switch {
		case n.kind != "string" || name == "":
			l.refuse(at, "Value is not a string")
		case name == errAll && (!last || len(names.items) > 1):
			l.refuse(at, "%s must appear alone and at the end of the list", errAll)
		default:
			l.errorName(name, at)
		}
	}
}

// errorName warns about names that no error has.
func (l *linter) errorName(name, at string) {
	if slices.Contains(languageErrors, name) {
		return
	}
	if strings.HasPrefix(name, "States.") {
		l.add(SeverityWarning, CodeErrorName, at, "the language has no error %s", name)
		return
	}
	if l.options.KnownError != nil && !l.options.KnownError(name) {
		l.add(SeverityWarning, CodeErrorName, at, "nobody raises the error %s", name)
	}
}
