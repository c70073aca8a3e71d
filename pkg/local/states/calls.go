package states

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/google/uuid"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// AWS's names for what can go wrong; errors.Is finds them behind the errs.Error.
var (
	ErrStateMachineDoesNotExist = errors.New("StateMachineDoesNotExist")
	ErrExecutionDoesNotExist    = errors.New("ExecutionDoesNotExist")
	ErrExecutionAlreadyExists   = errors.New("ExecutionAlreadyExists")
	ErrExecutionNotRedrivable   = errors.New("ExecutionNotRedrivable")
	ErrInvalidName              = errors.New("InvalidName")
	ErrInvalidExecutionInput    = errors.New("InvalidExecutionInput")
	ErrInvalidToken             = errors.New("InvalidToken")
	ErrInvalidOutput            = errors.New("InvalidOutput")
	ErrTaskTimedOut             = errors.New("TaskTimedOut")
)

var validName = regexp.MustCompile(`^[^\s<>{}\[\]?*"#%\\^|~` + "`" + `$&,;:/\x00-\x1f\x7f-\x9f]{1,80}$`)

// StartExecution starts a machine. An empty name gets a fresh one. Starting again under the same name
// with the same input while the execution runs gives the same ARN; otherwise a used name is refused.
func (s *Service) StartExecution(ctx context.Context, machineName, name string, input json.RawMessage) (string, error) {
	if name == "" {
		name = uuid.NewString()
	}
	return s.start(ctx, machineName, name, input, "")
}

// start starts an execution on behalf of a task (starter) or anyone else ("").
func (s *Service) start(ctx context.Context, machineName, name string, input json.RawMessage, starter string) (string, error) {
	m, ok := s.machines[machineName]
	if !ok {
		return "", errs.New(errs.NotFound, "no state machine %q: %w", machineName, ErrStateMachineDoesNotExist)
	}
	if !validName.MatchString(name) {
		return "", errs.New(errs.Invalid, "execution name %q: %w", name, ErrInvalidName).Mend("use 1 to 80 characters without spaces, brackets or any of ?*\"#%%\\^|~`$&,;:/")
	}
	in, err := compactInput(input)
	if err != nil {
		return "", errs.New(errs.Invalid, "input is not JSON (%v): %w", err, ErrInvalidExecutionInput)
	}
	if len(in) > maxInput {
		return "", errs.New(errs.Invalid, "input has %d bytes, at most %d are allowed: %w", len(in), maxInput, ErrInvalidExecutionInput)
	}
	arn := s.executionARN(machineName, name)
	lock := s.lockFor(arn)
	lock.Lock()
	defer lock.Unlock()
	if known, err := s.known(ctx, arn, in, starter); known || err != nil {
		return arn, err
	}
	return arn, s.begin(m, asl.Execution{ARN: arn, Name: name, Machine: machineName, MachineARN: s.MachineARN(machineName), RoleARN: s.roleARN(machineName), Input: in}, starter)
}

// maxInput is AWS's limit of 256 KiB.
const maxInput = 256 << 10

func (s *Service) roleARN(machine string) string {
	return fmt.Sprintf("arn:aws:iam::%s:role/%s", s.cfg.Account, machine)
}

// known applies the rules for a name that was used before.
func (s *Service) known(ctx context.Context, arn string, input json.RawMessage, starter string) (bool, error) {
	r, found, err := s.store.get(ctx, arn)
	if err != nil || !found {
		return false, err
	}
	same := string(r.execution.Input) == string(input)
	if same && (r.execution.Status == asl.Running || starter != "" && r.starter == starter) {
		return true, nil
	}
	return false, errs.New(errs.Conflict, "execution %s exists already (%s): %w", r.execution.Name, r.execution.Status, ErrExecutionAlreadyExists).Mend("choose another name")
}

func (s *Service) begin(m machine, x asl.Execution, starter string) error {
	a := s.newActor(x.ARN)
	run, err := asl.Start(m.parsed, a.env(&birth{digest: m.digest, starter: starter}), x, s.cfg.Clock.Now())
	if err != nil {
		return err
	}
	a.run = run
	return s.launch(a, asl.Effects{})
}

func (s *Service) find(ctx context.Context, arn string) (row, error) {
	r, found, err := s.store.get(ctx, arn)
	if err == nil && !found {
		err = errs.New(errs.NotFound, "no execution %s: %w", arn, ErrExecutionDoesNotExist)
	}
	return r, err
}

// DescribeExecution tells an execution's status and where it is.
func (s *Service) DescribeExecution(ctx context.Context, arn string) (Description, error) {
	r, err := s.find(ctx, arn)
	if err != nil {
		return Description{}, err
	}
	return s.describe(ctx, r)
}

func (s *Service) describe(ctx context.Context, r row) (Description, error) {
	d := Description{Execution: r.execution}
	if r.execution.Status == asl.Succeeded {
		return d, nil
	}
	m, threads, err := s.stored(ctx, r)
	if err != nil {
		return d, err
	}
	x := r.execution
	run, _ := asl.Resume(m, asl.Env{Expressions: s.pool}, x, threads)
	d.States = stateInfos(run)
	return d, nil
}

// ListExecutions gives the newest executions (at most 1,000), newest first; an empty machine or status
// means any. Where they are is told of running ones only.
func (s *Service) ListExecutions(ctx context.Context, machine string, status asl.Status) ([]Description, error) {
	rows, err := s.store.list(ctx, machine, status, maxListed)
	if err != nil {
		return nil, err
	}
	out := make([]Description, len(rows))
	for i, r := range rows {
		out[i] = Description{Execution: r.execution}
		if r.execution.Status != asl.Running {
			continue
		}
		if out[i], err = s.describe(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxListed bounds ListExecutions.
const maxListed = 1000

// GetExecutionHistory gives all events, oldest first.
func (s *Service) GetExecutionHistory(ctx context.Context, arn string) ([]asl.Event, error) {
	if _, err := s.find(ctx, arn); err != nil {
		return nil, err
	}
	return load[asl.Event](ctx, s.store, "states_events", arn)
}

// StopExecution aborts a running execution; for an ended one it does nothing, as on AWS.
func (s *Service) StopExecution(ctx context.Context, arn, errorName, cause string) error {
	if _, err := s.find(ctx, arn); err != nil {
		return err
	}
	err := errGone
	if a := s.actor(arn); a != nil {
		err = a.stop(failureOf(errorName, cause))
	}
	if errors.Is(err, errGone) && s.running(ctx, arn) {
		return errs.New(errs.Unavailable, "the execution rests for a moment").Mend("stop it again")
	}
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// failureOf makes a failure of parts that may be empty.
func failureOf(errorName, cause string) *asl.Failure {
	f := &asl.Failure{}
	if errorName != "" {
		f.Name = &errorName
	}
	if cause != "" {
		f.Cause = &cause
	}
	return f
}

// RedriveExecution runs a failed, aborted or timed out execution again from where it ended.
func (s *Service) RedriveExecution(ctx context.Context, arn string) error {
	lock := s.lockFor(arn)
	lock.Lock()
	defer lock.Unlock()
	r, err := s.find(ctx, arn)
	if err != nil {
		return err
	}
	m, threads, err := s.stored(ctx, r)
	if err != nil {
		return err
	}
	a := s.newActor(arn)
	run, err := asl.Redrive(m, a.env(nil), r.execution, threads, s.cfg.Clock.Now())
	if errors.Is(err, asl.ErrNotRedrivable) {
		return errs.New(errs.Conflict, "execution %s is %s: %w", r.execution.Name, r.execution.Status, ErrExecutionNotRedrivable)
	}
	if err != nil {
		return err
	}
	a.run = run
	return s.launch(a, asl.Effects{})
}
