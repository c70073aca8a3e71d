package asl

// Severity of a diagnostic.
type Severity string

// The severities.
const (
	SeverityError   Severity = "ERROR"   // AWS refuses the definition
	SeverityWarning Severity = "WARNING" // AWS accepts it, we do not want it
)

// Diagnostic is one finding in AWS's form.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Location string   `json:"location,omitempty"`
}

// LintOptions add what the linter cannot know from the file.
type LintOptions struct{}

// Lint reports everything that AWS would refuse and what we do not want.
func Lint(definition []byte, o LintOptions) []Diagnostic { return nil }
