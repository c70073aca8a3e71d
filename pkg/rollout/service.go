package rollout

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Workflow runs state machines and answers their waiting tasks. Start is idempotent by name; answering
// a token that is no longer waited for is errs.NotFound.
type Workflow interface {
	Start(ctx context.Context, machine, name string, input any) (execution string, err error)
	Stop(ctx context.Context, execution, cause string) error
	Answer(ctx context.Context, token string, output any) error
}

// Answer is what an endpoint said.
type Answer struct {
	Text   string
	Digest string // of the model that really answered
}

// Asker puts one prompt to an endpoint.
type Asker interface {
	Ask(ctx context.Context, endpoint, prompt string) (Answer, error)
}

// Deps is what a Service needs.
type Deps struct {
	Table    table.Table
	Log      audit.Committer
	Registry *registry.Service
	Monitor  *monitor.Service
	Workflow Workflow
	Asker    Asker
	Clock    ids.Clock
	IDs      ids.Source
	Logger   *slog.Logger
}

// Service moves traffic.
type Service struct{ Deps }

// New returns a service.
func New(d Deps) *Service { return &Service{d} }

func envKey(model, env string) table.Key { return table.Key{PK: "MODEL#" + model, SK: "ENV#" + env} }
func releaseKey(id string) table.Key     { return table.Key{PK: "RELEASE#" + id, SK: "META"} }

// EnvironmentNode is an environment's node in the lineage graph.
func EnvironmentNode(model, env string) lineage.Node {
	return lineage.Node{Type: "environment", ID: model + "/" + env}
}

// DefaultEnvironments are what a new model gets: two that switch at once and a production with a canary.
func DefaultEnvironments(model string) []Environment {
	atOnce := Strategy{Steps: []int{100}, Interval: 1, MaxHold: 10, Alpha: 0.01, LatencyMax: 3}
	canary := Strategy{Steps: []int{10, 50, 100}, Interval: 30, MinRequests: 50, MaxHold: 60, Alpha: 0.01, LatencyMax: 2}
	return []Environment{
		{Name: "development", Model: model, Order: 1, Strategy: atOnce, Targets: []Target{}},
		{Name: "staging", Model: model, Order: 2, Strategy: atOnce, Targets: []Target{}},
		{Name: "production", Model: model, Order: 3, Strategy: canary, Targets: []Target{}},
	}
}

// Setup creates a model's environments where they do not exist.
func (s *Service) Setup(ctx context.Context, by audit.Actor, model string) error {
	for _, e := range DefaultEnvironments(model) {
		e.Rev = 1
		_, err := s.Log.Commit(ctx, audit.Change{Actor: by, Type: "EnvironmentCreated", Data: e,
			Subject: audit.Subject{Type: "environment", ID: model + "/" + e.Name},
			Ops:     []table.Op{saveEnv(e, 0)}})
		if err != nil && !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return nil
}

func saveEnv(e Environment, rev int64) table.Op {
	return table.Save(envKey(e.Model, e.Name), e, rev, map[table.Index]table.Key{
		table.GSI1: {PK: "ENVS", SK: e.Model + "/" + e.Name}})
}

// Environments gives a model's environments in promotion order.
func (s *Service) Environments(ctx context.Context, model string) ([]Environment, error) {
	es, err := table.All[Environment](ctx, s.Table, table.Query{
		PK: "MODEL#" + model, Prefix: "ENV#", Consistency: table.Consistent})
	slices.SortFunc(es, func(a, b Environment) int { return a.Order - b.Order })
	return es, err
}

// Environment gives one environment.
func (s *Service) Environment(ctx context.Context, model, name string) (Environment, error) {
	e, err := table.Load[Environment](ctx, s.Table, envKey(model, name))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "model %s has no environment %q", model, name).
			Mend("use development, staging or production")
	}
	return e, err
}

// SetStrategy changes how traffic moves in an environment at revision rev.
func (s *Service) SetStrategy(ctx context.Context, by audit.Actor, model, name string, st Strategy, rev int64) (Environment, error) {
	if err := st.validate(); err != nil {
		return Environment{}, err
	}
	e, err := s.Environment(ctx, model, name)
	if err != nil {
		return e, err
	}
	before := audit.JSON(e.Strategy)
	e.Strategy = st
	_, err = s.Log.Commit(ctx, audit.Change{Actor: by, Type: "StrategyChanged", Data: e, Before: before, After: audit.JSON(st),
		Subject: audit.Subject{Type: "environment", ID: model + "/" + name}, Ops: []table.Op{saveEnv(e, rev)}})
	if errs.Is(err, errs.Conflict) {
		return e, errs.New(errs.Precondition, "environment %s changed meanwhile", name).Mend("load it again and repeat the change")
	}
	e.Rev = rev + 1
	return e, err
}

func (st Strategy) validate() error {
	if len(st.Steps) == 0 || st.Steps[len(st.Steps)-1] != 100 || !slices.IsSorted(st.Steps) || st.Steps[0] < 1 {
		return errs.New(errs.Invalid, "steps %v do not rise from at least 1 to 100", st.Steps).At("/steps").Mend("use for example [10, 50, 100]")
	}
	if st.Interval < 1 || st.MinRequests < 0 || st.MaxHold < 1 {
		return errs.New(errs.Invalid, "interval and maxHold must be at least 1, minRequests at least 0").At("/interval")
	}
	if st.Alpha <= 0 || st.Alpha > 0.2 || st.LatencyMax < 1 {
		return errs.New(errs.Invalid, "alpha must be over 0 and at most 0.2, latencyMax at least 1").At("/alpha")
	}
	return nil
}

// target finds a digest among an environment's targets; nil when it is not there.
func (e *Environment) target(digest string) *Target {
	for i := range e.Targets {
		if e.Targets[i].Digest == digest && digest != "" {
			return &e.Targets[i]
		}
	}
	return nil
}

// point gives one digest all traffic, or shares it between that and the live one.
func (e *Environment) point(digest string, weight int) {
	for i := range e.Targets {
		e.Targets[i].Weight = 0
	}
	if live := e.target(e.Live); live != nil && e.Live != digest {
		live.Weight = 100 - weight
	} else {
		weight = 100
	}
	if t := e.target(digest); t != nil {
		t.Weight = weight
	}
}

// retry repeats a change that lost a race, reading everything anew each time.
func retry(f func() error) error {
	var err error
	for range 20 {
		if err = f(); !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return fmt.Errorf("the state keeps changing: %w", err)
}
