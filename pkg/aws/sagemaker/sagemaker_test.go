package sagemaker_test

import (
	"context"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/sagemaker"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// fake is one endpoint with one answer.
type fake struct {
	asked  string
	answer string
	err    error
}

func (f *fake) InvokeEndpoint(_ context.Context, in *sagemakerruntime.InvokeEndpointInput, _ ...func(*sagemakerruntime.Options)) (*sagemakerruntime.InvokeEndpointOutput, error) {
	f.asked = string(in.Body)
	return &sagemakerruntime.InvokeEndpointOutput{Body: []byte(f.answer), ContentType: aws.String("application/json")}, f.err
}

func TestEndpoints_Ask(t *testing.T) {
	t.Run("our server says its digest in the fingerprint", func(t *testing.T) {
		f := &fake{answer: `{"system_fingerprint":"sha256:1","model":"m","choices":[{"message":{"content":"Forty-two."}}]}`}
		a, err := sagemaker.New(f).Ask(t.Context(), "e", "Why?")
		require.NoError(t, err)
		require.Equal(t, rollout.Answer{Text: "Forty-two.", Digest: "sha256:1"}, a)
		require.JSONEq(t, `{"max_tokens":32,"temperature":0,"messages":[{"role":"user","content":"Why?"}]}`, f.asked)
	})
	t.Run("vLLM says it in the model's name", func(t *testing.T) {
		a, err := sagemaker.New(&fake{answer: `{"model":"sha256:2","choices":[{"message":{"content":"x"}}]}`}).Ask(t.Context(), "e", "Why?")
		require.NoError(t, err)
		require.Equal(t, "sha256:2", a.Digest)
	})
	for name, c := range map[string]struct {
		fake fake
		want errs.Code
	}{
		"no completion":  {fake{answer: `{}`}, errs.Unhealthy},
		"no JSON":        {fake{answer: `<html>`}, errs.Unhealthy},
		"a model error":  {fake{err: &types.ModelError{OriginalStatusCode: aws.Int32(500), OriginalMessage: aws.String("out of memory")}}, errs.Unhealthy},
		"no endpoint":    {fake{err: &smithy.GenericAPIError{Code: "ValidationError"}}, errs.NotFound},
		"an overloaded":  {fake{err: &types.ServiceUnavailable{}}, errs.Unavailable},
		"a starting one": {fake{err: &types.ModelNotReadyException{}}, errs.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sagemaker.New(&c.fake).Ask(t.Context(), "e", "Why?")
			require.Equal(t, c.want, errs.CodeOf(err))
		})
	}
}

func TestEndpoints_Invoke(t *testing.T) {
	resp, err := sagemaker.New(&fake{err: &types.ModelError{OriginalStatusCode: aws.Int32(422), OriginalMessage: aws.String(`{"error":"too long"}`)}}).
		Invoke(t.Context(), "e", []byte(`{}`))
	require.NoError(t, err, "an error of the model is an answer")
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 422, resp.StatusCode)
	require.Equal(t, `{"error":"too long"}`, string(body))
}
