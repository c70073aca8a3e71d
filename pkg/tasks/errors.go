// Package tasks holds what state machines call: typed functions over the core, each made a Lambda handler
// that answers errors by the names that state machines catch.
package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Handler makes a Lambda handler of a typed function. Input that does not fit is errs.Invalid; an unknown
// field is ignored, since events carry more than a task wants.
func Handler[In, Out any](fn func(context.Context, In) (Out, error)) lambda.Handler {
	return lambda.NewHandler(func(ctx context.Context, payload json.RawMessage) (*Out, error) {
		var in In
		if err := decode(payload, &in); err != nil {
			return nil, Error(err)
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, Error(err)
		}
		return &out, nil
	})
}

func decode(payload json.RawMessage, into any) error {
	if len(bytes.TrimSpace(payload)) == 0 {
		return nil
	}
	err := json.Unmarshal(payload, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return errs.New(errs.Invalid, "input has %s where %s belongs", wrong.Value, wrong.Type).At("/" + wrong.Field)
	}
	if err != nil {
		return errs.New(errs.Invalid, "input is not JSON: %w", err)
	}
	return nil
}

// Error turns an error into what Lambda reports: the code is the name that ErrorEquals sees. The runtime
// would report the name of the Go type instead. Work that was called off is errs.Unavailable: it may be
// tried again.
func Error(err error) messages.InvokeResponse_Error {
	code := errs.CodeOf(err)
	if code == errs.Internal && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		code = errs.Unavailable
	}
	return messages.InvokeResponse_Error{Type: string(code), Message: err.Error()}
}

// Cause gives the words of a cause as a state machine caught it: of a failed function that is its whole
// error answer as JSON.
func Cause(caught string) string {
	var answer messages.InvokeResponse_Error
	if json.Unmarshal([]byte(caught), &answer) == nil && answer.Message != "" {
		return answer.Message
	}
	return caught
}
