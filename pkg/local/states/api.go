// Package states is the local Step Functions: it runs the platform's state machines durably.
// Every transition is a row in SQLite before its effect starts; after a kill at any point the
// service goes on where it was, and a task is driven again only under the same id.
//
//	New(cfg Config) (*Service, error)                        // opens tables, parses machines
//	(*Service) Run(ctx) error                                // resumes all running executions, serves until ctx ends
//	(*Service) Close() error                                 // stops without aborting; running executions stay RUNNING
//	(*Service) StartExecution(ctx, machine, name string, input json.RawMessage) (arn string, err error)
//	(*Service) DescribeExecution(ctx, arn) (Description, error)
//	(*Service) ListExecutions(ctx, machine string, status asl.Status) ([]Description, error)   // "" = any; newest first
//	(*Service) GetExecutionHistory(ctx, arn) ([]asl.Event, error)
//	(*Service) StopExecution(ctx, arn, errorName, cause string) error
//	(*Service) RedriveExecution(ctx, arn) error
//	(*Service) SendTaskSuccess(ctx, token string, output json.RawMessage) error
//	(*Service) SendTaskFailure(ctx, token, errorName, cause string) error
//	(*Service) SendTaskHeartbeat(ctx, token string) error
//	(*Service) MachineARN(name string) string                // what ${XStateMachineArn} is substituted with
//
// When the store fails, an execution rests and goes on from its last stored state a few seconds later;
// calls for it answer errs.Unavailable meanwhile.
//
// The service itself performs arn:aws:states:::states:startExecution (.sync, .sync:2,
// .waitForTaskToken); all other resources come from Config.Integrations.
package states

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// Config is what a Service needs.
type Config struct {
	DB           *sql.DB                    // tables are created under the prefix "states_"
	Machines     map[string]json.RawMessage // name → definition, substitutions made
	Integrations asl.Integrations
	Clock        Clock           // nil: the wall clock
	Logger       *slog.Logger    // nil: discard
	OnChange     func(Change)    // called after each commit, in order per execution; must not block. May be nil
	Region       string          // empty: "local"
	Account      string          // empty: "000000000000"
	BaseContext  context.Context // values for integrations (not its cancellation); nil: Background
}

// Clock is the time source of the service: the wall clock, or a virtual one in tests.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once, on its own goroutine, when the time has come; stop prevents it.
	AfterFunc(at time.Time, f func()) (stop func())
}

// Change tells that an execution moved on.
type Change struct {
	ARN     string
	Machine string
	Name    string
	Status  asl.Status
	States  []string // names of the states it is in now, outermost first; empty when it ended
	Events  []asl.Event
}

// Description is what DescribeExecution answers.
type Description struct {
	asl.Execution
	States []StateInfo // where it is now, outermost first; for a failed one, where it failed
}

// StateInfo is one live state of an execution.
type StateInfo struct {
	Thread    string    `json:"thread"` // "" for the machine itself, "Fan/0" for a branch or item
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	EnteredAt time.Time `json:"enteredAt"`
	Attempt   int       `json:"attempt"`
	Waiting   string    `json:"waiting"` // "task", "token", "timer", "retry", "children" or ""
}
