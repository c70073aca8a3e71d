package asl

import (
	"fmt"
	"slices"
	"sync"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

// Severity of a diagnostic.
type Severity string

// The severities.
const (
	SeverityError   Severity = "ERROR"   // AWS refuses the definition, or this interpreter cannot run it
	SeverityWarning Severity = "WARNING" // AWS accepts it, we do not want it
)

// Codes of diagnostics. The first five are AWS's.
const (
	CodeJSON          = "INVALID_JSON_DESCRIPTION"
	CodeSchema        = "SCHEMA_VALIDATION_FAILED"
	CodeTarget        = "MISSING_TRANSITION_TARGET"
	CodeDuplicate     = "DUPLICATE_STATE_NAME"
	CodeEnd           = "MISSING_END_STATE"
	CodeUnsupported   = "UNSUPPORTED"
	CodeTimeout       = "TASK_WITHOUT_TIMEOUT"
	CodeErrorName     = "UNKNOWN_ERROR_NAME"
	CodeSubstitution  = "MISSING_SUBSTITUTION"
	CodeVariable      = "UNASSIGNED_VARIABLE"
	CodeDeadBranch    = "UNREACHABLE_BRANCH"
	CodeToken         = "TOKEN_NOT_PASSED"
	CodeResourceKnown = "UNKNOWN_RESOURCE"
	CodeExpression    = "NOT_AN_EXPRESSION"
	CodePath          = "JSONPATH"
)

// Diagnostic is one finding in AWS's form.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Location string   `json:"location,omitempty"`

	ofRequest bool // about an API action's arguments: AWS refuses it, this interpreter can run it
}

// LintOptions add what the linter cannot know from the file. What is nil is not checked.
type LintOptions struct {
	KnownError    func(name string) bool     // error names that exist, beside the language's own
	KnownResource func(resource string) bool // resources that somebody performs
	Substitutions map[string]bool            // names that are provided for ${Name}
}

// linter collects findings.
type linter struct {
	options LintOptions
	found   []Diagnostic
	names   map[string]string // state name → location, over all scopes
	jsonata bool              // the machine's query language
	request bool              // findings are about an API action's arguments
}

// expressions parses for all linters.
var expressions = sync.OnceValue(func() *jsonata.Pool { return jsonata.NewPool(jsonata.Limits{}) })

// Lint reports everything that AWS would refuse and what we do not want: errors first, then warnings,
// each in the order of the file.
func Lint(definition []byte, o LintOptions) []Diagnostic {
	l := &linter{options: o, names: map[string]string{}}
	root, d := parseTree(definition)
	if d != nil {
		return []Diagnostic{*d}
	}
	l.machine(root)
	l.substitutions(definition)
	slices.SortStableFunc(l.found, func(a, b Diagnostic) int {
		return rank(a.Severity) - rank(b.Severity)
	})
	return l.found
}

func rank(s Severity) int {
	if s == SeverityError {
		return 0
	}
	return 1
}

func (l *linter) add(s Severity, code, location, format string, args ...any) {
	l.found = append(l.found, Diagnostic{Severity: s, Code: code, Location: location, Message: fmt.Sprintf(format, args...), ofRequest: l.request})
}

// refuse reports what AWS calls a schema failure.
func (l *linter) refuse(location, format string, args ...any) {
	l.add(SeverityError, CodeSchema, location, format, args...)
}

func (l *linter) substitutions(definition []byte) {
	if l.options.Substitutions == nil {
		return
	}
	for _, name := range Substitutions(definition) {
		if !l.options.Substitutions[name] {
			l.add(SeverityWarning, CodeSubstitution, "/", "nobody provides a value for ${%s}", name)
		}
	}
}

// machine checks the top level.
func (l *linter) machine(o *tree) {
	const root = "/"
	l.jsonata = o.text("QueryLanguage") == "JSONata"
	l.fields(o, root, []string{"Comment", "StartAt", "States", "QueryLanguage", "Version", "TimeoutSeconds"})
	l.oneOf(o, root, "QueryLanguage", "JSONata", "JSONPath")
	l.oneOf(o, root, "Version", "1.0")
	if v := o.get("TimeoutSeconds"); v != nil {
		l.wholeNumber(v, "/TimeoutSeconds", 1, maxSeconds, false)
	}
	l.scope(o, "", map[string]bool{})
}

// scope checks a StartAt and its States; outer holds the variables that surrounding scopes may have assigned.
func (l *linter) scope(o *tree, at string, outer map[string]bool) {
	if missing := o.missing("States", "StartAt"); len(missing) > 0 {
		l.refuse(at+"/", "These fields are required: %s", list(missing))
		return
	}
	states := o.get("States")
	if states.kind != "object" {
		l.refuse(at+"/States", "Value is not an object")
		return
	}
	if len(states.keys) == 0 {
		l.refuse(at+"/States", "Value cannot be empty")
		return
	}
	before := l.flow(o.text("StartAt"), states, outer)
	for _, name := range states.keys {
		l.stateName(name, at+"/States/"+name)
		l.state(states.get(name), name, at+"/States/"+name, before[name])
	}
	l.transitions(o, states, at)
}

func (l *linter) stateName(name, at string) {
	if n := len([]rune(name)); n == 0 || n > 80 {
		l.refuse(at, "State name must have 1 to 80 characters")
	}
	if first, ok := l.names[name]; ok {
		l.add(SeverityError, CodeDuplicate, at, "Duplicate State name: %s (also at %s)", name, first)
	}
	l.names[name] = at
}
