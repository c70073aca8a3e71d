package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// functions runs the platform's Lambda handlers in this process, as arn:aws:states:::lambda:invoke.
type functions struct {
	handlers map[string]lambda.Handler
}

// functionARN is what a machine's ${…FunctionArn} stands for.
func functionARN(name string) string { return "arn:aws:lambda:local:000000000000:function:" + name }

// invokeInput are the arguments of lambda:invoke that machines may use.
type invokeInput struct {
	FunctionName string
	Payload      json.RawMessage
}

// invokeOutput is what lambda:invoke gives a machine.
type invokeOutput struct {
	ExecutedVersion string
	Payload         json.RawMessage
	StatusCode      int
}

func (f *functions) invoke(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var in invokeInput
	d := json.NewDecoder(strings.NewReader(string(t.Arguments)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, asl.Fail("States.Runtime", "lambda:invoke: "+err.Error())
	}
	name := in.FunctionName[strings.LastIndex(in.FunctionName, ":")+1:]
	h, ok := f.handlers[name]
	if !ok {
		return nil, asl.Fail("Lambda.ResourceNotFoundException", "Function not found: "+in.FunctionName)
	}
	out, err := h.Invoke(ctx, asl.LambdaPayload(in.Payload))
	if err != nil {
		return nil, functionError(err)
	}
	return json.Marshal(invokeOutput{ExecutedVersion: "$LATEST", Payload: out, StatusCode: 200})
}

// functionError reports a handler's error as the Lambda runtime does: the name is the error's type.
func functionError(err error) error {
	var typed messages.InvokeResponse_Error
	if !errors.As(err, &typed) {
		typed = messages.InvokeResponse_Error{Type: strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), Message: err.Error()}
	}
	return asl.LambdaFailure(typed.Type, typed.Message, "", nil)
}
