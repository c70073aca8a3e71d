package asl

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

var stateTypes = []string{"Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"}

// fieldsOf are the fields of each state type in JSONata mode, beside Type, Comment and QueryLanguage.
var fieldsOf = map[string][]string{
	"Task":     {"Next", "End", "Resource", "Arguments", "Output", "Assign", "Retry", "Catch", "TimeoutSeconds", "HeartbeatSeconds", "Credentials"},
	"Wait":     {"Next", "End", "Seconds", "Timestamp", "Output", "Assign"},
	"Pass":     {"Next", "End", "Output", "Assign"},
	"Succeed":  {"Output"},
	"Fail":     {"Error", "Cause"},
	"Choice":   {"Choices", "Default", "Output", "Assign"},
	"Parallel": {"Next", "End", "Branches", "Arguments", "Output", "Assign", "Retry", "Catch"},
	"Map": {"Next", "End", "Items", "ItemSelector", "ItemBatcher", "ItemProcessor", "ItemReader", "ResultWriter", "MaxConcurrency",
		"ToleratedFailureCount", "ToleratedFailurePercentage", "Label", "Output", "Assign", "Retry", "Catch"},
}

// pathFields belong to the other query language.
var pathFields = []string{"InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Result", "ItemsPath", "SecondsPath",
	"TimestampPath", "TimeoutSecondsPath", "HeartbeatSecondsPath", "MaxConcurrencyPath", "ErrorPath", "CausePath", "Variable",
	"ToleratedFailureCountPath", "ToleratedFailurePercentagePath", "Iterator"}

// fields reports what does not belong into an object.
func (l *linter) fields(o *tree, at string, allowed []string) {
	l.kind(o.get("Comment"), strings.TrimSuffix(at, "/")+"/Comment", "string")
	for _, k := range o.keys {
		switch {
		case slices.Contains(allowed, k):
		case slices.Contains(pathFields, k):
			l.refuse(strings.TrimSuffix(at, "/")+"/"+k, "The field '%s' is not supported when the QueryLanguage is 'JSONata'", k)
		default:
			l.refuse(strings.TrimSuffix(at, "/")+"/"+k, "Field is not supported")
		}
	}
}

func (l *linter) oneOf(o *tree, at, key string, values ...string) {
	if v := o.get(key); v != nil && !slices.Contains(values, v.str()) {
		l.refuse(strings.TrimSuffix(at, "/")+"/"+key, "The field '%s' should have one of these values: %s", key, list(values))
	}
}

// state checks one state; before holds the variables that may be assigned when it is entered.
func (l *linter) state(o *tree, name, at string, before assigned) {
	if o.kind != "object" {
		l.refuse(at, "Value is not an object")
		return
	}
	kind := o.text("Type")
	if !o.has("Type") {
		l.refuse(at, "These fields are required: [Type]")
		return
	}
	if !slices.Contains(stateTypes, kind) {
		l.refuse(at+"/Type", "The field 'Type' should have one of these values: %s", list(stateTypes))
		return
	}
	if !l.queryLanguage(o, at) {
		return
	}
	l.fields(o, at, append([]string{"Type", "Comment", "QueryLanguage"}, fieldsOf[kind]...))
	l.kind(o.get("Default"), at+"/Default", "string")
	l.ending(o, at, kind)
	l.common(o, at, kind, before)
	l.ofType(o, at, kind, before)
}

func (l *linter) queryLanguage(o *tree, at string) bool {
	l.oneOf(o, at, "QueryLanguage", "JSONata", "JSONPath")
	switch language := o.text("QueryLanguage"); {
	case language == "JSONPath" && l.jsonata:
		l.refuse(at, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
	case language == "JSONPath" || language == "" && !l.jsonata:
		l.add(SeverityError, CodeUnsupported, at, "JSONPath is not supported: set \"QueryLanguage\": \"JSONata\" for the machine or the state")
	default:
		return true
	}
	return false
}

// ending checks Next and End.
func (l *linter) ending(o *tree, at, kind string) {
	if kind == "Choice" || kind == "Succeed" || kind == "Fail" {
		return
	}
	next, end := o.get("Next"), o.get("End")
	l.kind(end, at+"/End", "boolean")
	l.kind(next, at+"/Next", "string")
	switch ends := end.is("true"); {
	case next == nil && !ends:
		l.refuse(at, "One of these fields is required: [Next, End]")
	case next != nil && ends:
		l.refuse(at, "Only one of these fields is allowed: [Next, End]")
	}
}

// kind checks the JSON type of a constant.
func (l *linter) kind(v *tree, at, want string) {
	if v != nil && v.kind != want {
		l.refuse(at, "Value is not %s %s", article(want), want)
	}
}

func article(kind string) string {
	if kind == "object" || kind == "array" {
		return "an"
	}
	return "a"
}

// common checks the fields that several types have.
func (l *linter) common(o *tree, at, kind string, before assigned) {
	result := kind == "Task" || kind == "Parallel" || kind == "Map"
	l.template(o.get("Arguments"), at+"/Arguments", before, allow{})
	l.template(o.get("Output"), at+"/Output", before, allow{result: result})
	l.assign(o.get("Assign"), at+"/Assign", before, allow{result: result})
	l.retries(o.get("Retry"), at+"/Retry")
	l.catches(o.get("Catch"), at+"/Catch", before)
}

func (l *linter) ofType(o *tree, at, kind string, before assigned) {
	switch kind {
	case "Task":
		l.task(o, at, before)
	case "Wait":
		l.wait(o, at, before)
	case "Fail":
		l.expressionOr(o.get("Error"), at+"/Error", "string", before)
		l.expressionOr(o.get("Cause"), at+"/Cause", "string", before)
	case "Choice":
		l.choices(o, at, before)
	case "Parallel":
		l.branches(o, at, before)
	case "Map":
		l.mapState(o, at, before)
	}
}

func (l *linter) task(o *tree, at string, before assigned) {
	r := o.get("Resource")
	if r == nil {
		l.refuse(at, "These fields are required: [Resource]")
		return
	}
	l.resource(o, at)
	timeout, heartbeat := o.get("TimeoutSeconds"), o.get("HeartbeatSeconds")
	l.number(timeout, at+"/TimeoutSeconds", 1, maxSeconds, before)
	l.number(heartbeat, at+"/HeartbeatSeconds", 1, maxSeconds, before)
	if timeout == nil {
		l.add(SeverityWarning, CodeTimeout, at, "a Task without TimeoutSeconds can hang for years")
	} else if heartbeat != nil && constant(timeout) <= constant(heartbeat) && constant(heartbeat) > 0 && constant(timeout) > 0 {
		l.refuse(at+"/HeartbeatSeconds", "HeartbeatSeconds must be less than TimeoutSeconds")
	}
	l.credentials(o.get("Credentials"), at+"/Credentials", before)
}

func (l *linter) credentials(c *tree, at string, before assigned) {
	switch {
	case c == nil:
	case c.kind != "object":
		l.refuse(at, "Value is not an object")
	case !c.has("RoleArn"):
		l.refuse(at, "The field 'RoleArn' is required but was missing")
	default:
		l.fields(c, at, []string{"RoleArn"})
		l.expressionOr(c.get("RoleArn"), at+"/RoleArn", "string", before)
	}
}

func (l *linter) wait(o *tree, at string, before assigned) {
	seconds, stamp := o.get("Seconds"), o.get("Timestamp")
	if (seconds == nil) == (stamp == nil) {
		l.refuse(at, "Exactly one of these fields is required: [Seconds, Timestamp]")
		return
	}
	l.number(seconds, at+"/Seconds", 0, maxSeconds, before)
	l.expressionOr(stamp, at+"/Timestamp", "string", before)
	if text := stamp.str(); stamp != nil && stamp.kind == "string" && !jsonata.IsExpression(text) {
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
			l.refuse(at+"/Timestamp", "String does not match RFC3339 timestamp")
		}
	}
}

// expressionOr allows an expression or a constant of a kind.
func (l *linter) expressionOr(v *tree, at, kind string, before assigned) {
	if v == nil {
		return
	}
	if jsonata.IsExpression(v.str()) {
		l.template(v, at, before, allow{})
	} else if v.kind != kind {
		l.refuse(at, "Value is not %s %s or a JSONata expression", article(kind), kind)
	}
}

// number allows an expression or a whole number within bounds.
func (l *linter) number(v *tree, at string, low, high float64, before assigned) {
	if v == nil {
		return
	}
	if v.kind == "number" {
		l.wholeNumber(v, at, low, high, false)
		return
	}
	l.expressionOr(v, at, "number", before)
}

func (l *linter) wholeNumber(v *tree, at string, low, high float64, fraction bool) {
	n, err := strconv.ParseFloat(string(v.raw), 64)
	switch {
	case v.kind != "number" || err != nil:
		l.refuse(at, "Value is not a number")
	case !fraction && n != float64(int64(n)):
		l.refuse(at, "Value is not an integer")
	case n < low || n > high:
		l.refuse(at, "Value must be between %s and %s", plainNumber(low), plainNumber(high))
	}
}

func plainNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// constant gives the value of a constant number, 0 for anything else.
func constant(v *tree) float64 {
	if v == nil || v.kind != "number" {
		return 0
	}
	n, _ := strconv.ParseFloat(string(v.raw), 64)
	return n
}
