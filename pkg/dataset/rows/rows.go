// Package rows turns files of any size into training rows with bounded memory: it finds out the
// format, decodes record by record, checks each against the row schemas and says of every bad one
// what rule it breaks and where. One bad record never loses a good one.
package rows

import "fmt"

// The rules that a record or a whole file can break. They are stable names: reports, filters and
// documentation refer to them.
const (
	RuleSyntax       = "json.syntax"          // the line is not one JSON value
	RuleDuplicateKey = "json.duplicate-key"   // an object names a field twice
	RuleDepth        = "json.depth"           // nested deeper than MaxDepth
	RuleNumber       = "json.number"          // a number that no float can hold
	RuleQuote        = "csv.quote"            // quotes do not pair up
	RuleColumns      = "csv.columns"          // not as many fields as the header has
	RuleHeader       = "csv.header"           // file: the header names no known columns
	RuleSchema       = "row.schema"           // none of the row schemas
	RuleEmptyPrompt  = "row.empty-prompt"     // nothing to answer
	RuleEmptyAnswer  = "row.empty-completion" // nothing to learn
	RuleEmptyText    = "row.empty-text"       // nothing to learn
	RuleTooLong      = "row.too-long"         // larger than MaxRecord
	RuleUTF8         = "encoding.utf8"        // not valid UTF-8
	RuleNUL          = "encoding.nul"         // holds a NUL character
	RuleUnknownField = "row.unknown-field"    // warning: a field that is not used
	RuleEmptyFile    = "file.empty"           // file: no rows at all
	RuleFormat       = "file.format"          // file: not a format that can be read
	RuleTooLarge     = "file.too-large"       // file: more than MaxBytes after decompression
	RuleRatio        = "file.compression"     // file: expands suspiciously much
)

// Limits bound what a file may cost.
type Limits struct {
	MaxRecord int   // bytes of one line or CSV record
	MaxDepth  int   // nesting of JSON values
	MaxBytes  int64 // decompressed size of a file
	MaxRatio  int64 // decompressed to compressed size, beyond the first RatioFree bytes
	RatioFree int64
}

// DefaultLimits are the limits of production.
func DefaultLimits() Limits {
	return Limits{MaxRecord: 1 << 20, MaxDepth: 32, MaxBytes: 10 << 30, MaxRatio: 100, RatioFree: 10 << 20}
}

// Problem says what is wrong with a record or a file.
type Problem struct {
	Rule     string `json:"rule"`
	Pointer  string `json:"pointer,omitempty"` // JSON pointer, or "/<column>" of a CSV record
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

// Error gives the problem in one line, as it stands in the error column of a quarantine file.
func (p *Problem) Error() string {
	at := ""
	if p.Pointer != "" {
		at = p.Pointer + ": "
	}
	return fmt.Sprintf("%s: %sexpected %s, found %s", p.Rule, at, p.Expected, p.Found)
}

// Record is one record of a file. Raw is only valid until the next one is read.
type Record struct {
	Line    int64    // physical line where it begins, from 1
	Raw     []byte   // as it stands in the file, without its line end; cut when too long
	Cut     bool     // Raw is only the beginning
	Row     Row      // when Problem is nil
	Problem *Problem // when the record is bad
	Unused  []string // fields that no schema uses
}

// found quotes a value for a report, cut to a readable length.
func found(b []byte) string {
	const most = 80
	cut := ""
	if len(b) > most {
		b, cut = b[:most], "…"
	}
	return fmt.Sprintf("%q", b) + cut
}

// UnusedField is the warning about a field that no schema uses.
func UnusedField(name string) *Problem {
	return &Problem{Rule: RuleUnknownField, Pointer: "/" + pointerToken(name), Expected: "only fields that are used", Found: "a field that is ignored"}
}
