// Package states starts, stops and reads the platform's executions in Step Functions.
package states

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// API is what the adapter calls of Step Functions.
type API interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
	SendTaskSuccess(context.Context, *sfn.SendTaskSuccessInput, ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error)
	GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
}

// Workflow implements the core's workflow ports.
type Workflow struct {
	api    API
	prefix string
}

var (
	_ training.Workflow = Workflow{}
	_ rollout.Workflow  = Workflow{}
)

// New gives the machines whose ARNs begin with prefix, "arn:…:stateMachine:perennial-".
func New(api API, prefix string) Workflow { return Workflow{api: api, prefix: prefix} }

// Start begins an execution; one that was begun under the same name is as good, also after it ended.
func (w Workflow) Start(ctx context.Context, machine, name string, input any) (string, error) {
	b, err := json.Marshal(input)
	if err != nil {
		return "", fmt.Errorf("encode input of %s: %w", machine, err)
	}
	out, err := w.api.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: aws.String(w.prefix + machine), Name: &name, Input: aws.String(string(b))})
	var exists *types.ExecutionAlreadyExists
	if errors.As(err, &exists) {
		return w.execution(machine, name), nil
	}
	if err != nil {
		return "", classify("start "+machine, err)
	}
	return *out.ExecutionArn, nil
}

// execution is the ARN of an execution.
func (w Workflow) execution(machine, name string) string {
	return strings.Replace(w.prefix, ":stateMachine:", ":execution:", 1) + machine + ":" + name
}

// Stop ends an execution; one that has ended or never was is no error.
func (w Workflow) Stop(ctx context.Context, execution, cause string) error {
	const most = 32768 // characters of a cause
	_, err := w.api.StopExecution(ctx, &sfn.StopExecutionInput{
		ExecutionArn: &execution, Error: aws.String("Cancelled"), Cause: aws.String(cause[:min(len(cause), most)])})
	var absent *types.ExecutionDoesNotExist
	if err == nil || errors.As(err, &absent) {
		return nil
	}
	return classify("stop execution", err)
}

// Answer gives a waiting task its result; errs.NotFound when nothing waits for the token any more.
func (w Workflow) Answer(ctx context.Context, token string, output any) error {
	b, err := json.Marshal(output)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	_, err = w.api.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String(string(b))})
	if err != nil {
		return classify("answer task", err)
	}
	return nil
}

// codes classifies Step Functions' errors, once.
var codes = map[string]errs.Code{
	"TaskTimedOut": errs.NotFound, "TaskDoesNotExist": errs.NotFound, "InvalidToken": errs.NotFound,
	"ExecutionDoesNotExist": errs.NotFound, "StateMachineDoesNotExist": errs.NotFound,
	"ExecutionLimitExceeded": errs.Unavailable, "ThrottlingException": errs.Unavailable, "StateMachineDeleting": errs.Unavailable,
	"InvalidExecutionInput": errs.Invalid, "InvalidName": errs.Invalid, "InvalidOutput": errs.Invalid, "InvalidArn": errs.Invalid,
	"AccessDeniedException": errs.Internal,
}

func classify(doing string, err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return errs.New(errs.Unavailable, "%s: Step Functions cannot be reached: %w", doing, err)
	}
	code, ok := codes[api.ErrorCode()]
	if !ok {
		code = errs.Unavailable
	}
	return errs.New(code, "%s: %w", doing, err)
}
