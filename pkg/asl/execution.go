package asl

import (
	"encoding/json"
	"time"
)

// Status is the state of an execution, in AWS's words.
type Status string

// The statuses of an execution.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Execution is the header of one execution. With its Threads it is the whole state of a Run.
type Execution struct {
	ARN          string          `json:"arn"`
	Name         string          `json:"name"`
	Machine      string          `json:"machine"` // name of the state machine
	MachineARN   string          `json:"machineArn"`
	RoleARN      string          `json:"roleArn,omitempty"`
	Input        json.RawMessage `json:"input"`
	Status       Status          `json:"status"`
	Output       json.RawMessage `json:"output,omitempty"`
	Failure      *Failure        `json:"failure,omitempty"`
	StartedAt    time.Time       `json:"startedAt"`
	StoppedAt    time.Time       `json:"stoppedAt,omitzero"`
	Deadline     time.Time       `json:"deadline,omitzero"` // from TimeoutSeconds; zero means none
	RedriveCount int             `json:"redriveCount,omitempty"`
	RedrivenAt   time.Time       `json:"redrivenAt,omitzero"`
	LastEvent    int64           `json:"lastEvent"` // id of the newest history event
}

// Event is one entry of an execution's history. Details hold exactly what AWS puts into the
// "<type>EventDetails" object, under DetailsKey.
type Event struct {
	ID         int64          `json:"id"`
	Previous   int64          `json:"previousEventId"`
	Type       string         `json:"type"`
	Time       time.Time      `json:"timestamp"`
	DetailsKey string         `json:"detailsKey,omitempty"`
	Details    map[string]any `json:"details,omitempty"`
}

// AWS renders the event in the shape of GetExecutionHistory.
func (e Event) AWS() map[string]any {
	m := map[string]any{"id": e.ID, "previousEventId": e.Previous, "type": e.Type, "timestamp": e.Time}
	if e.DetailsKey != "" {
		m[e.DetailsKey] = e.Details
	}
	return m
}
