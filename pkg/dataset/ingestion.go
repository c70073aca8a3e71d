package dataset

import (
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// Status of an ingestion.
type Status string

// The statuses. Published, Discarded and Failed are final; a failed one may be retried.
const (
	Received    Status = "Received"
	Checking    Status = "Checking"
	Publishing  Status = "Publishing"  // checked; the valid part is on its way into a version
	Published   Status = "Published"   // see DatasetVersion
	Quarantined Status = "Quarantined" // waits for a person: publish the valid part, discard or resubmit
	Discarded   Status = "Discarded"
	Failed      Status = "Failed" // by a fault outside the file, see Error
)

// Final tells whether nothing more will happen by itself.
func (s Status) Final() bool { return s == Published || s == Discarded || s == Failed }

// Ingestion is one arrival on its way into a dataset.
type Ingestion struct {
	ID             string       `json:"id"`
	Dataset        string       `json:"dataset"`
	Source         string       `json:"source,omitempty"`
	Name           string       `json:"name"` // of the file
	Object         Object       `json:"object"`
	Format         string       `json:"format,omitempty"`
	Compression    string       `json:"compression,omitempty"`
	Status         Status       `json:"status"`
	Counts         Counts       `json:"counts"`
	Masks          rows.Masked  `json:"masks"`
	Errors         []ErrorGroup `json:"errors"`
	Warnings       []ErrorGroup `json:"warnings"`
	Progress       *Progress    `json:"progress,omitempty"` // while it is checked
	Steps          []Step       `json:"steps"`
	Rejects        string       `json:"rejects,omitempty"` // object key of the quarantine file
	Report         string       `json:"report,omitempty"`  // object key
	ReportDigest   string       `json:"reportDigest,omitempty"`
	DatasetVersion int          `json:"datasetVersion,omitempty"` // that has its rows
	Resubmits      string       `json:"resubmits,omitempty"`      // the ingestion that this one mends
	ResubmittedAs  string       `json:"resubmittedAs,omitempty"`
	Attempt        int          `json:"attempt"` // from 1
	Execution      string       `json:"execution,omitempty"`
	Error          string       `json:"error,omitempty"`
	Actor          audit.Actor  `json:"actor"`
	Created        time.Time    `json:"created"`
	Ended          time.Time    `json:"ended,omitzero"`
	Rev            int64        `json:"rev"`
}

// Object names the arrived object exactly.
type Object struct {
	Key     string `json:"key"`
	Version string `json:"version"` // of a versioned store, else "sha256:<digest>"
	Size    int64  `json:"size"`
}

// Counts of rows: Rows = Accepted + Duplicates + Rejected.
type Counts struct {
	Rows       int `json:"rows"`
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"` // of an earlier row of the file or of the dataset; dropped
	Masked     int `json:"masked"`     // accepted with personal data masked
	Overlaps   int `json:"overlaps"`   // rejected since they hold a benchmark item
	Rejected   int `json:"rejected"`   // overlaps included
}

// The rules that need more than the row itself.
const (
	RuleOverlap   = "overlap.benchmark"
	RuleDuplicate = "duplicate.exact" // a warning
)

// ErrorGroup gathers what broke one rule.
type ErrorGroup struct {
	Rule     string    `json:"rule"`
	Title    string    `json:"title"` // what is wrong, in a few words
	Hint     string    `json:"hint"`  // how to mend it
	Count    int       `json:"count"`
	Examples []Example `json:"examples"` // the first ones
}

// Example is one broken rule at one place. Found has personal data masked.
type Example struct {
	Line     int64  `json:"line"` // in the file, from 1; 0 = the file as a whole
	Pointer  string `json:"pointer,omitempty"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

// Progress of the check, at most a second old.
type Progress struct {
	Rows  int       `json:"rows"`
	Bytes int64     `json:"bytes"` // read of the stored file
	Total int64     `json:"total"`
	At    time.Time `json:"at"`
}

// The steps of the timeline.
const (
	StepReceive = "Receive"
	StepCheck   = "Check"
	StepDecide  = "Decide"
	StepPublish = "Publish"
)

// Step is one entry of the timeline. It is running until it has ended.
type Step struct {
	Name    string    `json:"name"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Failed  bool      `json:"failed,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}

// begin opens a step, unless the same one is open already.
func (i *Ingestion) begin(name string, at time.Time) {
	if n := len(i.Steps); n > 0 && i.Steps[n-1].Name == name && i.Steps[n-1].Ended.IsZero() {
		return
	}
	i.Steps = append(i.Steps, Step{Name: name, Started: at})
}

// end closes the open step.
func (i *Ingestion) end(at time.Time, detail string) {
	if n := len(i.Steps); n > 0 && i.Steps[n-1].Ended.IsZero() {
		i.Steps[n-1].Ended, i.Steps[n-1].Detail = at, detail
	}
}
