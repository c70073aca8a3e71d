// Package tasks holds what state machines call: typed functions over the core, each made a Lambda handler
// that answers errors by the names that state machines catch.
package tasks

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

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

var progress = regexp.MustCompile(`\[perennial\] [a-z_]+=`)

// Cause gives the words of a cause as a state machine caught it: of a failed function that is its whole
// error answer as JSON, of a failed job or nested execution its whole description.
func Cause(caught string) string {
	var answer struct{ ErrorMessage, FailureReason, Error, Cause string }
	if json.Unmarshal([]byte(caught), &answer) != nil {
		return caught
	}
	return cmp.Or(answer.ErrorMessage, lastWords(answer.FailureReason), Failed(answer.Error, answer.Cause), caught)
}

// Failed says why something failed from the error and the cause that a state machine caught. That a task
// failed says nothing beside its cause.
func Failed(name, caught string) string {
	why := Cause(caught)
	if name == "States.TaskFailed" && why != "" {
		return why
	}
	return strings.TrimSuffix(name+": "+why, ": ")
}

// lastWords shortens the reason of a failed job, which is its kind of error and the end of its log, to the
// last lines that report no progress, as "[perennial] step=5 steps=9" does.
func lastWords(reason string) string {
	lines := strings.Split(reason, "\n")
	kind, _, _ := strings.Cut(lines[0], ": ")
	said := slices.DeleteFunc(lines[1:], func(l string) bool { return progress.MatchString(l) })
	if len(said) == 0 {
		return reason
	}
	return kind + ": " + strings.Join(said[max(0, len(said)-3):], " ")
}
