package states

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

// Service is the local Step Functions.
type Service struct {
	cfg      Config
	store    *store
	pool     *jsonata.Pool
	machines map[string]machine
	tasks    asl.Integrations
	secret   []byte // signs task tokens
	ctx      context.Context
	cancel   context.CancelCauseFunc
	actors   sync.WaitGroup
	starting [64]sync.Mutex // by ARN: one start at a time

	mu     sync.Mutex
	live   map[string]*actor
	closed bool
	parsed map[string]*asl.Machine // by digest of the definition
}

type machine struct {
	parsed *asl.Machine
	digest string
}

// errShutdown is the cancellation cause of tasks when the service closes; they go on after the restart.
var errShutdown = errors.New("the service is shutting down")

// New opens the service. Nothing runs before Run or Resume, except what StartExecution starts.
func New(cfg Config) (*Service, error) {
	cfg = withDefaults(cfg)
	st, err := openStore(cfg.BaseContext, cfg.DB)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(cfg.BaseContext)
	s := &Service{
		cfg: cfg, store: st, pool: jsonata.NewPool(jsonata.Limits{}), machines: map[string]machine{}, ctx: ctx, cancel: cancel,
		live: map[string]*actor{}, parsed: map[string]*asl.Machine{}, tasks: maps.Clone(cfg.Integrations),
	}
	if s.tasks == nil {
		s.tasks = asl.Integrations{}
	}
	s.registerNested()
	if err := s.prepare(); err != nil {
		cancel(errShutdown)
		st.close()
		return nil, err
	}
	return s, nil
}

func withDefaults(cfg Config) Config {
	if cfg.Clock == nil {
		cfg.Clock = wallClock{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Region == "" {
		cfg.Region = "local"
	}
	if cfg.Account == "" {
		cfg.Account = "000000000000"
	}
	if cfg.BaseContext == nil {
		cfg.BaseContext = context.Background()
	}
	cfg.BaseContext = context.WithoutCancel(cfg.BaseContext)
	return cfg
}

// knows tells whether there is an activity: one that an integration performs.
func (s *Service) knows(activity string) bool {
	_, ok := s.tasks.Lookup(activity)
	return ok
}

// prepare parses the machines and fetches the token secret.
func (s *Service) prepare() error {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return fmt.Errorf("make token secret: %w", err)
	}
	var err error
	if s.secret, err = s.store.meta(s.ctx, "token-secret", fresh); err != nil {
		return err
	}
	for name, definition := range s.cfg.Machines {
		m, err := asl.Parse(definition)
		if err != nil {
			return fmt.Errorf("state machine %s: %w", name, err)
		}
		sum := sha256.Sum256(m.Definition)
		digest := hex.EncodeToString(sum[:])
		if err := s.store.putDefinition(s.ctx, digest, m.Definition); err != nil {
			return err
		}
		s.machines[name] = machine{m, digest}
		s.parsed[digest] = m
	}
	return nil
}

// MachineARN is the ARN of a state machine of this service.
func (s *Service) MachineARN(name string) string {
	return fmt.Sprintf("arn:aws:states:%s:%s:stateMachine:%s", s.cfg.Region, s.cfg.Account, name)
}

func (s *Service) executionARN(machine, name string) string {
	return fmt.Sprintf("arn:aws:states:%s:%s:execution:%s:%s", s.cfg.Region, s.cfg.Account, machine, name)
}

func (s *Service) lockFor(arn string) *sync.Mutex {
	h := fnv.New32a()
	_, _ = h.Write([]byte(arn))
	return &s.starting[h.Sum32()%uint32(len(s.starting))]
}

// Run resumes every running execution and serves until ctx ends, then closes.
func (s *Service) Run(ctx context.Context) error {
	if err := s.Resume(ctx); err != nil && ctx.Err() == nil {
		return errors.Join(err, s.Close())
	}
	for ctx.Err() == nil {
		if err := s.Prune(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Error("ended executions could not be forgotten; it is tried again in a day", "error", err)
		}
		s.rest(ctx, pruneEvery)
	}
	return s.Close()
}

// retention is how long an ended execution is known, its history too, as on AWS; pruneEvery is how often
// older ones are looked for.
const (
	retention  = 90 * 24 * time.Hour
	pruneEvery = 24 * time.Hour
)

// Prune forgets executions that ended more than 90 days ago; their names are free again.
func (s *Service) Prune(ctx context.Context) error {
	return s.store.prune(ctx, s.cfg.Clock.Now().Add(-retention))
}

// rest waits by the service's clock.
func (s *Service) rest(ctx context.Context, d time.Duration) {
	over := make(chan struct{})
	stop := s.cfg.Clock.AfterFunc(s.cfg.Clock.Now().Add(d), func() { close(over) })
	defer stop()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// Resume goes on with every execution that was running when the service last stopped.
func (s *Service) Resume(ctx context.Context) error {
	rows, err := s.store.list(ctx, "", asl.Running, -1)
	if err != nil {
		return err
	}
	for i := len(rows) - 1; i >= 0; i-- { // oldest first
		if err := s.resume(ctx, rows[i]); err != nil {
			return fmt.Errorf("resume %s: %w", rows[i].execution.ARN, err)
		}
	}
	return nil
}

func (s *Service) resume(ctx context.Context, r row) error {
	lock := s.lockFor(r.execution.ARN)
	lock.Lock()
	defer lock.Unlock()
	if s.actor(r.execution.ARN) != nil {
		return nil
	}
	m, threads, err := s.stored(ctx, r)
	if err != nil {
		return err
	}
	a := s.newActor(r.execution.ARN)
	run, effects := asl.Resume(m, a.env(nil), r.execution, threads)
	a.run = run
	return s.launch(a, effects)
}

// revive resumes an execution if it still runs and the service is open.
func (s *Service) revive(arn string) error {
	if s.ctx.Err() != nil {
		return nil
	}
	r, err := s.find(s.ctx, arn)
	if err != nil || r.execution.Status != asl.Running {
		return err
	}
	return s.resume(s.ctx, r)
}

// stored reads the definition an execution started with and its threads.
func (s *Service) stored(ctx context.Context, r row) (*asl.Machine, []*asl.Thread, error) {
	m, err := s.machineOf(ctx, r.digest)
	if err != nil {
		return nil, nil, err
	}
	threads, err := load[*asl.Thread](ctx, s.store, "states_threads", r.execution.ARN)
	return m, threads, err
}

func (s *Service) machineOf(ctx context.Context, digest string) (*asl.Machine, error) {
	s.mu.Lock()
	m := s.parsed[digest]
	s.mu.Unlock()
	if m != nil {
		return m, nil
	}
	raw, err := s.store.definition(ctx, digest)
	if err != nil {
		return nil, err
	}
	if m, err = asl.Parse(raw); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parsed[digest] = m
	return m, nil
}

// Close stops serving without aborting anything: running executions stay RUNNING in the store and
// their tasks are told to let go.
func (s *Service) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.cancel(errShutdown)
	s.actors.Wait()
	s.store.close()
	return nil
}

func (s *Service) actor(arn string) *actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[arn]
}

// compactInput checks an input and takes its spaces out.
func compactInput(input json.RawMessage) (json.RawMessage, error) {
	if len(input) == 0 {
		return json.RawMessage("{}"), nil
	}
	return asl.Compact(input)
}
