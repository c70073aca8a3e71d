package sagemaker

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// The base exceptions of the two families of integrations.
const (
	optimizedBase = "AmazonSageMakerException"
	sdkBase       = "SageMakerException"
)

// Integrations performs the SageMaker resources of state machines. What a task created is its own:
// driven again after a kill it finds it, while another task gets the error that SageMaker gives.
func (s *Service) Integrations() asl.Integrations {
	const optimized, sdk = "arn:aws:states:::sagemaker:", "arn:aws:states:::aws-sdk:sagemaker:"
	return asl.Integrations{
		optimized + "createTrainingJob.sync": s.trainSync,
		optimized + "createTrainingJob": perform(EpochMillis, optimizedBase, func(ctx context.Context, t asl.Task, in *sagemaker.CreateTrainingJobInput) (any, error) {
			return sagemaker.CreateTrainingJobOutput{TrainingJobArn: arn("training-job", value(in.TrainingJobName))}, s.submit(in, t.ID)
		}),
		optimized + "createModel": perform(EpochMillis, optimizedBase, func(ctx context.Context, t asl.Task, in *sagemaker.CreateModelInput) (any, error) {
			return sagemaker.CreateModelOutput{ModelArn: arn("model", value(in.ModelName))}, s.createModel(in, t.ID)
		}),
		optimized + "createEndpointConfig": perform(EpochMillis, optimizedBase, func(ctx context.Context, t asl.Task, in *sagemaker.CreateEndpointConfigInput) (any, error) {
			return sagemaker.CreateEndpointConfigOutput{EndpointConfigArn: arn("endpoint-config", value(in.EndpointConfigName))}, s.createConfig(in, t.ID)
		}),
		optimized + "createEndpoint": perform(EpochMillis, optimizedBase, func(ctx context.Context, t asl.Task, in *sagemaker.CreateEndpointInput) (any, error) {
			return sagemaker.CreateEndpointOutput{EndpointArn: arn("endpoint", value(in.EndpointName))}, s.createEndpoint(ctx, in, t.ID)
		}),
		sdk + "describeEndpoint":     direct(s.DescribeEndpoint),
		sdk + "describeTrainingJob":  direct(s.DescribeTrainingJob),
		sdk + "stopTrainingJob":      direct(s.StopTrainingJob),
		sdk + "deleteEndpoint":       direct(s.DeleteEndpoint),
		sdk + "deleteEndpointConfig": direct(s.DeleteEndpointConfig),
		sdk + "deleteModel":          direct(s.DeleteModel),
	}
}

// perform makes an integration of an operation.
func perform[I any](times TimeFormat, base string, do func(context.Context, asl.Task, *I) (any, error)) asl.Integration {
	return func(ctx context.Context, t asl.Task) (json.RawMessage, error) {
		in := new(I)
		if err := DecodeStrict(t.Arguments, in); err != nil {
			return nil, asl.Fail("States.Runtime", err.Error())
		}
		out, err := do(ctx, t, in)
		if err != nil {
			return nil, stateError(err, base)
		}
		return Encode(out, times)
	}
}

// direct makes an SDK integration of one of the service's methods.
func direct[I, O any](op func(context.Context, *I, ...Options) (*O, error)) asl.Integration {
	return perform(ISO8601, sdkBase, func(ctx context.Context, _ asl.Task, in *I) (any, error) { return op(ctx, in) })
}

// trainSync creates a training job, or finds the one of this task, and awaits it. A job that does
// not complete is States.TaskFailed with its description, as on AWS; a task that is given up stops its job.
func (s *Service) trainSync(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var in sagemaker.CreateTrainingJobInput
	if err := DecodeStrict(t.Arguments, &in); err != nil {
		return nil, asl.Fail("States.Runtime", err.Error())
	}
	if err := s.submit(&in, t.ID); err != nil {
		return nil, stateError(err, optimizedBase)
	}
	accepted, err := Encode(sagemaker.CreateTrainingJobOutput{TrainingJobArn: arn("training-job", *in.TrainingJobName)}, EpochMillis)
	if err != nil {
		return nil, err
	}
	t.Submitted(accepted)
	job, err := s.Wait(ctx, *in.TrainingJobName)
	if err != nil {
		return nil, s.abandon(err, *in.TrainingJobName)
	}
	out, err := Encode(job, EpochMillis)
	if err == nil && job.TrainingJobStatus != types.TrainingJobStatusCompleted {
		return nil, asl.Fail("States.TaskFailed", string(out))
	}
	return out, err
}

// abandon stops the job of a task that nobody waits for; when only the platform goes down, the job stays.
func (s *Service) abandon(cause error, name string) error {
	if errors.Is(cause, asl.ErrTaskAborted) {
		_, err := s.StopTrainingJob(context.Background(), &sagemaker.StopTrainingJobInput{TrainingJobName: &name})
		return errors.Join(cause, err)
	}
	return cause
}
