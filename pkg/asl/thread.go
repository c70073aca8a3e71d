package asl

import (
	"encoding/json"
	"time"
)

// Phase is what a thread is doing within its current state.
type Phase string

// The phases of a thread.
const (
	PhaseEnter    Phase = "enter"    // the state is to be entered
	PhaseReady    Phase = "ready"    // entered; its work is to be (re)started
	PhaseTask     Phase = "task"     // an integration works
	PhaseToken    Phase = "token"    // submitted; waiting for SendTaskSuccess or SendTaskFailure
	PhaseTimer    Phase = "timer"    // a Wait state
	PhaseRetry    Phase = "retry"    // waiting to try again
	PhaseChildren Phase = "children" // branches or items run
	PhaseDone     Phase = "done"     // the scope ended; Output holds its result
	PhaseFailed   Phase = "failed"   // the scope failed with Failure
)

// Thread is one sequential flow: the machine itself (ID ""), a Parallel branch or a Map item.
type Thread struct {
	ID      string                     `json:"id"` // "Fan/0", "Fan/0/Each/12"
	Parent  string                     `json:"parent"`
	Index   int                        `json:"index"` // of the branch or item
	State   string                     `json:"state"`
	Phase   Phase                      `json:"phase"`
	Input   json.RawMessage            `json:"input"`
	Vars    map[string]json.RawMessage `json:"vars,omitempty"` // of this scope; outer ones are read through Parent
	Item    json.RawMessage            `json:"item,omitempty"` // context.Map.Item.Value
	Output  json.RawMessage            `json:"output,omitempty"`
	Failure *Failure                   `json:"failure,omitempty"`

	EnteredEvent int64     `json:"enteredEvent"` // id of the StateEntered event
	EnteredPrev  int64     `json:"enteredPrev"`  // its previousEventId
	LastEvent    int64     `json:"lastEvent"`    // newest event of this thread
	EnteredAt    time.Time `json:"enteredAt"`

	Attempt    int             `json:"attempt"`              // tries made before this one, over all retriers
	Retries    []int           `json:"retries,omitempty"`    // used per retrier
	Wake       time.Time       `json:"wake,omitzero"`        // Wait or Retry is over
	Timeout    time.Time       `json:"timeout,omitzero"`     // the task's end of patience
	Heartbeat  time.Time       `json:"heartbeat,omitzero"`   // next sign of life is due
	BeatEvery  time.Duration   `json:"beatEvery,omitempty"`  // HeartbeatSeconds
	Arguments  json.RawMessage `json:"arguments,omitempty"`  // of the task in flight
	TaskID     string          `json:"taskId,omitempty"`     // of the task in flight
	Token      string          `json:"token,omitempty"`      // of the task in flight
	Submitted  bool            `json:"submitted,omitempty"`  // TaskSubmitted was recorded
	Children   int             `json:"children,omitempty"`   // branches or items in all
	Started    int             `json:"started,omitempty"`    // items started
	Items      json.RawMessage `json:"items,omitempty"`      // of a Map, after batching
	Width      int             `json:"width,omitempty"`      // concurrency of a Map, 0 = no limit
	Tolerated  int             `json:"tolerated,omitempty"`  // failures a Map stands
	RedriveSeq int             `json:"redriveSeq,omitempty"` // redrives so far: part of TaskID
}
