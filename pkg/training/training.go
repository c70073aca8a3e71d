// Package training decides when and how a model learns: triggers, runs, their plans and results.
package training

import (
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/registry"
)

// Status of a run.
type Status string

// The statuses, in the order of a run's life; the last three are final.
const (
	Queued     Status = "Queued"
	Training   Status = "Training"
	Evaluating Status = "Evaluating"
	Judged     Status = "Judged"    // the gate has spoken; a release may follow
	Failed     Status = "Failed"    // see Error
	Cancelled  Status = "Cancelled" // by a person
)

// Final tells whether nothing more will happen to the run.
func (s Status) Final() bool { return s == Judged || s == Failed || s == Cancelled }

// TriggerKind is what made a run start.
type TriggerKind string

// The kinds.
const (
	ByData     TriggerKind = "Data"
	BySchedule TriggerKind = "Schedule"
	ByHand     TriggerKind = "Manual"
)

// Run is one training run: from the plan to the gate's verdict.
type Run struct {
	ID        string                `json:"id"`
	Model     string                `json:"model"`
	Trigger   TriggerKind           `json:"trigger"`
	Reason    string                `json:"reason,omitempty"`
	Actor     audit.Actor           `json:"actor"`
	Preset    string                `json:"preset"`
	Seed      int64                 `json:"seed"`
	Parent    int                   `json:"parent"` // version that it starts from
	Datasets  []registry.DatasetRef `json:"datasets"`
	Status    Status                `json:"status"`
	Execution string                `json:"execution,omitempty"` // of train-model
	Job       string                `json:"job,omitempty"`       // SageMaker training job
	Candidate int                   `json:"candidate,omitempty"` // model version that came out
	Verdict   string                `json:"verdict,omitempty"`
	Report    string                `json:"report,omitempty"`  // digest of the gate report
	Release   string                `json:"release,omitempty"` // that followed
	Error     string                `json:"error,omitempty"`
	Created   time.Time             `json:"created"`
	Started   time.Time             `json:"started,omitzero"`
	Ended     time.Time             `json:"ended,omitzero"`
	Rev       int64                 `json:"rev"`
}

// Trigger says when a model's training starts by itself.
type Trigger struct {
	Model    string `json:"model"`
	Enabled  bool   `json:"enabled"`
	MinRows  int    `json:"minRows"`  // new rows that suffice; 0 = data never triggers
	Debounce int    `json:"debounce"` // seconds of quiet after the last arrival
	Cooldown int    `json:"cooldown"` // seconds between two runs
	Schedule string `json:"schedule"` // cron(…), rate(…) or empty
	Timezone string `json:"timezone"` // of the schedule; empty = UTC
	Rev      int64  `json:"rev"`

	Since time.Time `json:"since,omitzero"` // slots of the schedule before this are used

	PendingRows int       `json:"pendingRows"`          // rows published since the last run began
	LastArrival time.Time `json:"lastArrival,omitzero"` // of data
	LastRun     time.Time `json:"lastRun,omitzero"`
	NextRun     time.Time `json:"nextRun,omitzero"` // by the schedule
}
