package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/states"
)

// workflow is the core's way to the local Step Functions. The service is set after the core exists,
// since its integrations call the core.
type workflow struct{ states *states.Service }

// Start begins an execution; one that was begun under the same name is as good.
func (w *workflow) Start(ctx context.Context, machine, name string, input any) (string, error) {
	b, err := json.Marshal(input)
	if err != nil {
		return "", fmt.Errorf("encode input: %w", err)
	}
	arn, err := w.states.StartExecution(ctx, machine, name, b)
	if errors.Is(err, states.ErrExecutionAlreadyExists) {
		return executionARN(machine, name), nil
	}
	return arn, err
}

// Stop ends an execution; one that has ended or never was is no error.
func (w *workflow) Stop(ctx context.Context, execution, cause string) error {
	err := w.states.StopExecution(ctx, execution, "Cancelled", cause)
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Conflict) {
		return nil
	}
	return err
}

// Answer gives a waiting task its result.
func (w *workflow) Answer(ctx context.Context, token string, output any) error {
	b, err := json.Marshal(output)
	if err != nil {
		return fmt.Errorf("encode output: %w", err)
	}
	err = w.states.SendTaskSuccess(ctx, token, b)
	if errors.Is(err, states.ErrTaskTimedOut) || errors.Is(err, states.ErrInvalidToken) {
		return errs.New(errs.NotFound, "nothing waits for this token any more: %w", err)
	}
	return err
}
