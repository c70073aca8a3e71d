package sagemaker_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aws_sagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
)

// answer is what the stand-in server says.
type answer struct {
	PID              int
	Model, Echo, Env string
}

func modelInput(name, uri, flavour string) *aws_sagemaker.CreateModelInput {
	return &aws_sagemaker.CreateModelInput{ModelName: &name, ExecutionRoleArn: aws.String("arn:aws:iam::000000000000:role/serving"),
		PrimaryContainer: &types.ContainerDefinition{Image: aws.String("serve"), Environment: map[string]string{"FLAVOUR": flavour},
			ModelDataSource: &types.ModelDataSource{S3DataSource: &types.S3ModelDataSource{S3Uri: &uri,
				S3DataType: types.S3ModelDataTypeS3Prefix, CompressionType: types.ModelCompressionTypeNone}}}}
}

func configInput(name string) *aws_sagemaker.CreateEndpointConfigInput {
	return &aws_sagemaker.CreateEndpointConfigInput{EndpointConfigName: &name, ProductionVariants: []types.ProductionVariant{{
		VariantName: aws.String("main"), ModelName: &name, InitialInstanceCount: aws.Int32(1), InstanceType: types.ProductionVariantInstanceTypeMlG5Xlarge}}}
}

// serve makes an endpoint of files under a prefix.
func (b *bench) serve(name, prefix, flavour string) {
	b.t.Helper()
	ctx := b.t.Context()
	_, err := b.CreateModel(ctx, modelInput(name, "s3://bkt/"+prefix, flavour))
	require.NoError(b.t, err)
	_, err = b.CreateEndpointConfig(ctx, configInput(name))
	require.NoError(b.t, err)
	_, err = b.CreateEndpoint(ctx, &aws_sagemaker.CreateEndpointInput{EndpointName: &name, EndpointConfigName: &name})
	require.NoError(b.t, err)
}

func (b *bench) endpoint(name string) *aws_sagemaker.DescribeEndpointOutput {
	b.t.Helper()
	out, err := b.DescribeEndpoint(b.t.Context(), &aws_sagemaker.DescribeEndpointInput{EndpointName: &name})
	require.NoError(b.t, err)
	return out
}

func (b *bench) settles(name string, want types.EndpointStatus) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.endpoint(name).EndpointStatus == want }, time.Minute, 5*time.Millisecond)
}

func (b *bench) invoke(name, body string) (answer, error) {
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	resp, err := b.Invoke(ctx, name, []byte(body))
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	var a answer
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

func (b *bench) asks(name, body string) answer {
	b.t.Helper()
	a, err := b.invoke(name, body)
	require.NoError(b.t, err)
	return a
}

func TestService_CreateEndpoint(t *testing.T) {
	t.Run("an endpoint answers with its model", func(t *testing.T) {
		b := newBench(t)
		b.put("models/m/1/weights/w.bin", "one")
		b.serve("dev", "models/m/1/", "vanilla")
		b.settles("dev", types.EndpointStatusInService)
		a := b.asks("dev", "hello")
		require.Equal(t, []string{"one", "hello", "vanilla"}, []string{a.Model, a.Echo, a.Env})
		require.Equal(t, "main", *b.endpoint("dev").ProductionVariants[0].VariantName)
	})
	t.Run("equal models share one server until the last endpoint is deleted", func(t *testing.T) {
		b := newBench(t)
		b.put("models/m/1/weights/w.bin", "one")
		b.put("models/m/2/weights/w.bin", "one")
		b.put("models/m/3/weights/w.bin", "three")
		b.serve("dev", "models/m/1/", "vanilla")
		b.serve("prod", "models/m/2", "vanilla")
		b.serve("other-env", "models/m/1/", "mint")
		b.serve("other-model", "models/m/3/", "vanilla")
		dev := b.asks("dev", "x")
		require.Equal(t, dev.PID, b.asks("prod", "x").PID)
		require.NotEqual(t, dev.PID, b.asks("other-env", "x").PID)
		require.NotEqual(t, dev.PID, b.asks("other-model", "x").PID)

		_, err := b.DeleteEndpoint(t.Context(), &aws_sagemaker.DeleteEndpointInput{EndpointName: aws.String("dev")})
		require.NoError(t, err)
		require.Equal(t, dev.PID, b.asks("prod", "x").PID)
		_, err = b.DeleteEndpoint(t.Context(), &aws_sagemaker.DeleteEndpointInput{EndpointName: aws.String("prod")})
		require.NoError(t, err)
		_, err = b.invoke("prod", "x")
		require.Equal(t, errs.NotFound, errs.CodeOf(err))
		require.Eventually(t, func() bool {
			left, err := filepath.Glob(filepath.Join(b.cfg.Root, "serving", "*"))
			return err == nil && len(left) == 2
		}, time.Minute, 5*time.Millisecond)
	})
	t.Run("a server that does not start fails its endpoint with the reason, and a new endpoint tries again", func(t *testing.T) {
		b := newBench(t)
		b.put("models/m/1/weights/w.bin", "bad")
		b.serve("dev", "models/m/1/", "vanilla")
		b.settles("dev", types.EndpointStatusFailed)
		require.Contains(t, *b.endpoint("dev").FailureReason, "the weights are bad")
		_, err := b.invoke("dev", "x")
		require.Equal(t, errs.Unavailable, errs.CodeOf(err))
		b.put("models/m/1/weights/w.bin", "good")
		b.serve("dev-2", "models/m/1/", "vanilla")
		b.settles("dev-2", types.EndpointStatusInService)
	})
	t.Run("a crashed server is started again and calls wait for it", func(t *testing.T) {
		b := newBench(t, func(c *sagemaker.Config) { c.After = backoffOnly })
		b.put("models/m/1/weights/w.bin", "one")
		b.serve("dev", "models/m/1/", "vanilla")
		first := b.asks("dev", "x")
		_, err := b.invoke("dev", "crash")
		require.Error(t, err)
		require.Eventually(t, func() bool {
			again, err := b.invoke("dev", "x")
			return err == nil && again.PID != first.PID
		}, time.Minute, 5*time.Millisecond)
		require.Equal(t, types.EndpointStatusInService, b.endpoint("dev").EndpointStatus)
	})
	t.Run("a restarted platform serves its endpoints again", func(t *testing.T) {
		b := newBench(t)
		b.put("models/m/1/weights/w.bin", "one")
		b.serve("dev", "models/m/1/", "vanilla")
		b.asks("dev", "x")
		require.NoError(t, b.Close(t.Context()))
		b.open()
		require.Equal(t, types.EndpointStatusInService, b.endpoint("dev").EndpointStatus)
		require.Equal(t, "one", b.asks("dev", "x").Model)
	})
	t.Run("names, models and files must exist", func(t *testing.T) {
		b := newBench(t)
		_, err := b.CreateEndpointConfig(t.Context(), configInput("dev"))
		require.ErrorContains(t, err, "Could not find model")
		_, err = b.CreateEndpoint(t.Context(), &aws_sagemaker.CreateEndpointInput{EndpointName: aws.String("dev"), EndpointConfigName: aws.String("dev")})
		require.ErrorContains(t, err, "Could not find endpoint configuration")
		_, err = b.CreateModel(t.Context(), modelInput("dev", "s3://bkt/models/none/", ""))
		require.NoError(t, err)
		_, err = b.CreateEndpointConfig(t.Context(), configInput("dev"))
		require.NoError(t, err)
		_, err = b.CreateEndpoint(t.Context(), &aws_sagemaker.CreateEndpointInput{EndpointName: aws.String("dev"), EndpointConfigName: aws.String("dev")})
		require.ErrorContains(t, err, "Could not find model data at s3://bkt/models/none/")
		_, err = b.CreateModel(t.Context(), modelInput("dev", "s3://bkt/models/none/", ""))
		require.ErrorContains(t, err, "Cannot create already existing model")
	})
}

// backoffOnly lets pauses pass at once and limits never.
func backoffOnly(d time.Duration) <-chan time.Time {
	if d >= 30*time.Second {
		return nil
	}
	now := make(chan time.Time, 1)
	now <- time.Time{}
	return now
}
