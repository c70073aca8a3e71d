// Package sagemaker asks SageMaker's endpoints.
package sagemaker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/aws/smithy-go"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// API is what the adapter calls of the SageMaker runtime.
type API interface {
	InvokeEndpoint(context.Context, *sagemakerruntime.InvokeEndpointInput, ...func(*sagemakerruntime.Options)) (*sagemakerruntime.InvokeEndpointOutput, error)
}

// Endpoints asks endpoints by name.
type Endpoints struct{ api API }

var _ rollout.Asker = Endpoints{}

// New gives the endpoints behind an API.
func New(api API) Endpoints { return Endpoints{api} }

// Invoke passes a JSON body to an endpoint and gives its answer. An error answer of the model itself is
// an answer, with its own status. errs.NotFound without such an endpoint.
func (e Endpoints) Invoke(ctx context.Context, endpoint string, body []byte) (*http.Response, error) {
	out, err := e.api.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{
		EndpointName: &endpoint, Body: body, ContentType: aws.String("application/json"), Accept: aws.String("application/json, text/event-stream")})
	var model *types.ModelError
	switch {
	case errors.As(err, &model):
		return answer(int(aws.ToInt32(model.OriginalStatusCode)), "application/json", []byte(aws.ToString(model.OriginalMessage))), nil
	case err != nil:
		return nil, classify(endpoint, err)
	}
	return answer(http.StatusOK, aws.ToString(out.ContentType), out.Body), nil
}

func answer(status int, contentType string, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body))}
}

// classify tells a missing endpoint, which is a ValidationError, from one that cannot answer now.
func classify(endpoint string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "ValidationError" || api.ErrorCode() == "ValidationException") {
		return errs.New(errs.NotFound, "no endpoint %q in service: %w", endpoint, err)
	}
	return errs.New(errs.Unavailable, "endpoint %s does not answer: %w", endpoint, err)
}

// Ask puts one prompt to an endpoint; see rollout.Invoke.
func (e Endpoints) Ask(ctx context.Context, endpoint, prompt string) (rollout.Answer, error) {
	return rollout.Invoke(e.invokeWhole).Ask(ctx, endpoint, prompt)
}

func (e Endpoints) invokeWhole(ctx context.Context, endpoint string, body []byte) (int, []byte, error) {
	resp, err := e.Invoke(ctx, endpoint, body)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}
