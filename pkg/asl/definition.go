package asl

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Machine is a parsed definition.
type Machine struct {
	Scope
	Comment        string          `json:"Comment"`
	Version        string          `json:"Version"`
	QueryLanguage  string          `json:"QueryLanguage"`
	TimeoutSeconds int64           `json:"TimeoutSeconds"` // 0 means none
	Definition     json.RawMessage `json:"-"`
}

// Scope is a set of states with a start: the machine, a branch or an item processor.
type Scope struct {
	StartAt string            `json:"StartAt"`
	States  map[string]*State `json:"States"`
}

// State is one state of any type; fields of other types are empty. Raw fields are templates.
type State struct {
	Name           string          `json:"-"`
	Type           string          `json:"Type"`
	Comment        string          `json:"Comment"`
	QueryLanguage  string          `json:"QueryLanguage"`
	Next           string          `json:"Next"`
	End            bool            `json:"End"`
	Assign         json.RawMessage `json:"Assign"`
	Output         json.RawMessage `json:"Output"`
	Arguments      json.RawMessage `json:"Arguments"`
	Resource       string          `json:"Resource"`
	TimeoutSeconds json.RawMessage `json:"TimeoutSeconds"`
	Heartbeat      json.RawMessage `json:"HeartbeatSeconds"`
	Credentials    *Credentials    `json:"Credentials"`
	Retry          []Retrier       `json:"Retry"`
	Catch          []Catcher       `json:"Catch"`
	Choices        []Choice        `json:"Choices"`
	Default        string          `json:"Default"`
	Seconds        json.RawMessage `json:"Seconds"`
	Timestamp      json.RawMessage `json:"Timestamp"`
	Error          json.RawMessage `json:"Error"`
	Cause          json.RawMessage `json:"Cause"`
	Branches       []*Scope        `json:"Branches"`
	Items          json.RawMessage `json:"Items"`
	ItemSelector   json.RawMessage `json:"ItemSelector"`
	ItemBatcher    *Batcher        `json:"ItemBatcher"`
	ItemProcessor  *Scope          `json:"ItemProcessor"`
	MaxConcurrency json.RawMessage `json:"MaxConcurrency"`
	TolerateCount  json.RawMessage `json:"ToleratedFailureCount"`
	ToleratePct    json.RawMessage `json:"ToleratedFailurePercentage"`
}

// Credentials name the role that a Task is performed under.
type Credentials struct {
	RoleArn json.RawMessage `json:"RoleArn"`
}

// Retrier says when and how to try again.
type Retrier struct {
	ErrorEquals     []string `json:"ErrorEquals"`
	IntervalSeconds *float64 `json:"IntervalSeconds"`
	MaxAttempts     *int     `json:"MaxAttempts"`
	BackoffRate     *float64 `json:"BackoffRate"`
	MaxDelaySeconds *float64 `json:"MaxDelaySeconds"`
	JitterStrategy  string   `json:"JitterStrategy"`
}

// Catcher says where to go on an error.
type Catcher struct {
	ErrorEquals []string        `json:"ErrorEquals"`
	Next        string          `json:"Next"`
	Assign      json.RawMessage `json:"Assign"`
	Output      json.RawMessage `json:"Output"`
}

// Choice is one rule of a Choice state.
type Choice struct {
	Condition json.RawMessage `json:"Condition"`
	Next      string          `json:"Next"`
	Assign    json.RawMessage `json:"Assign"`
	Output    json.RawMessage `json:"Output"`
}

// Batcher groups a Map's items.
type Batcher struct {
	MaxItems   json.RawMessage `json:"MaxItemsPerBatch"`
	MaxBytes   json.RawMessage `json:"MaxInputBytesPerBatch"`
	BatchInput json.RawMessage `json:"BatchInput"`
}

// Parse reads a definition and refuses whatever AWS would refuse at creation, but for the arguments of API
// actions, which their integrations judge; Lint tells all of it.
func Parse(definition []byte) (*Machine, error) {
	for _, d := range Lint(definition, LintOptions{}) {
		if d.Severity == SeverityError && !d.ofRequest {
			return nil, errs.New(errs.Invalid, "%s", d.Message).At(d.Location).Mend("correct the definition; `asl lint` lists all findings")
		}
	}
	return decode(definition)
}

func decode(definition []byte) (*Machine, error) {
	var compacted bytes.Buffer
	if err := json.Compact(&compacted, definition); err != nil {
		return nil, fmt.Errorf("compact definition: %w", err)
	}
	m := &Machine{Definition: compacted.Bytes()}
	if err := json.Unmarshal(compacted.Bytes(), m); err != nil {
		return nil, errs.New(errs.Invalid, "decode definition: %w", err)
	}
	m.Scope.name()
	return m, nil
}

// name gives every state its name, in all scopes.
func (s *Scope) name() {
	for name, st := range s.States {
		st.Name = name
		for _, b := range st.Branches {
			b.name()
		}
		if st.ItemProcessor != nil {
			st.ItemProcessor.name()
		}
	}
}

// Each calls f for every state, outer scopes first, in no particular order within a scope.
func (s *Scope) Each(f func(*State)) {
	for _, st := range s.States {
		f(st)
		for _, b := range st.Branches {
			b.Each(f)
		}
		if st.ItemProcessor != nil {
			st.ItemProcessor.Each(f)
		}
	}
}
