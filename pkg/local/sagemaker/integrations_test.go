package sagemaker_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
)

const (
	createTraining = "arn:aws:states:::sagemaker:createTrainingJob.sync"
	createModel    = "arn:aws:states:::sagemaker:createModel"
	describe       = "arn:aws:states:::aws-sdk:sagemaker:describeEndpoint"
)

// does performs a resource as the engine does.
func (b *bench) does(ctx context.Context, resource, task, arguments string) (map[string]any, error) {
	b.t.Helper()
	f, ok := b.Integrations().Lookup(resource)
	require.True(b.t, ok)
	raw, err := f(ctx, asl.Task{ID: task, Resource: resource, Arguments: json.RawMessage(arguments)})
	if err != nil {
		return nil, err
	}
	var out map[string]any
	require.NoError(b.t, json.Unmarshal(raw, &out))
	return out, nil
}

func failure(t *testing.T, err error) (name, cause string) {
	t.Helper()
	var f *asl.Failure
	require.ErrorAs(t, err, &f)
	return *f.Name, *f.Cause
}

func TestService_Integrations(t *testing.T) {
	t.Run("a training task ends with the job's description", func(t *testing.T) {
		b := newBench(t)
		out, err := b.does(t.Context(), createTraining, "task-1", trainingJSON)
		require.NoError(t, err)
		require.Equal(t, "Completed", out["TrainingJobStatus"])
		require.IsType(t, float64(0), out["CreationTime"])

		again, err := b.does(t.Context(), createTraining, "task-1", trainingJSON)
		require.NoError(t, err, "the same task finds its job")
		require.Equal(t, out, again)
		_, err = b.does(t.Context(), createTraining, "task-2", trainingJSON)
		name, _ := failure(t, err)
		require.Equal(t, "SageMaker.ResourceInUseException", name)
	})
	t.Run("a failed job is States.TaskFailed with its description", func(t *testing.T) {
		b := newBench(t)
		_, err := b.does(t.Context(), createTraining, "task-1", replace(trainingJSON, `{"seed":"17"}`, `{"fail":"2"}`))
		name, cause := failure(t, err)
		require.Equal(t, "States.TaskFailed", name)
		require.Contains(t, cause, `"FailureReason":"AlgorithmError: data: channel train: line 7 is not JSON, exit code: 2"`)
	})
	t.Run("a task that is given up stops its job; a platform that goes down does not", func(t *testing.T) {
		b := newBench(t)
		held := replace(trainingJSON, `{"seed":"17"}`, `{"hold":"1","until":"/nowhere"}`)
		down, goDown := context.WithCancelCause(t.Context())
		ended := make(chan error)
		go func() { _, err := b.does(down, createTraining, "task-1", held); ended <- err }()
		b.reachesSoon("job-1", "[perennial] step=1")
		goDown(errors.New("the platform goes down"))
		require.ErrorContains(t, <-ended, "goes down")

		abort, abandon := context.WithCancelCause(t.Context())
		go func() { _, err := b.does(abort, createTraining, "task-1", held); ended <- err }()
		abandon(asl.ErrTaskAborted)
		require.ErrorIs(t, <-ended, asl.ErrTaskAborted)
		require.Equal(t, "Stopped", string(b.ended("job-1").TrainingJobStatus))
	})
	t.Run("errors carry the names that AWS gives them", func(t *testing.T) {
		b := newBench(t)
		model := string(mustJSON(t, map[string]any{"ModelName": "m", "ExecutionRoleArn": "r", "PrimaryContainer": map[string]any{"ModelDataSource": map[string]any{
			"S3DataSource": map[string]any{"S3Uri": "s3://bkt/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}}}}))
		for _, task := range []string{"task-1", "task-1"} {
			_, err := b.does(t.Context(), createModel, task, model)
			require.NoError(t, err)
		}
		_, err := b.does(t.Context(), createModel, "task-2", model)
		name, _ := failure(t, err)
		require.Equal(t, "SageMaker.AmazonSageMakerException", name)
		_, err = b.does(t.Context(), describe, "task-3", `{"EndpointName":"none"}`)
		name, cause := failure(t, err)
		require.Equal(t, "SageMaker.SageMakerException", name)
		require.Contains(t, cause, "Could not find endpoint")
		_, err = b.does(t.Context(), describe, "task-4", `{"endpointName":"none"}`)
		name, cause = failure(t, err)
		require.Equal(t, "States.Runtime", name)
		require.Contains(t, cause, `the field "endpointName" is not supported`)
	})
}
