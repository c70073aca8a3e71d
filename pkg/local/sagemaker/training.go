package sagemaker

import (
	"context"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// Options are the SDK's per-call options; they have no meaning here.
type Options = func(*sagemaker.Options)

// CreateTrainingJob accepts a job and returns; ResourceInUse when the name is taken. It waits in
// Pending until a slot is free.
func (s *Service) CreateTrainingJob(ctx context.Context, in *sagemaker.CreateTrainingJobInput, _ ...Options) (*sagemaker.CreateTrainingJobOutput, error) {
	if err := s.submit(in, ""); err != nil {
		return nil, err
	}
	return &sagemaker.CreateTrainingJobOutput{TrainingJobArn: arn("training-job", *in.TrainingJobName)}, nil
}

// submit creates a job for a task. The same task may submit it again.
func (s *Service) submit(in *sagemaker.CreateTrainingJobInput, owner string) error {
	if err := s.checkTraining(in); err != nil {
		return err
	}
	name := *in.TrainingJobName
	s.mu.Lock()
	if old, ok := s.jobs[name]; ok {
		s.mu.Unlock()
		if owner != "" && old.Owner == owner {
			return nil
		}
		return inUse("Training job names must be unique within an AWS account and region, and a training job with this name already exists (%s)", *arn("training-job", name))
	}
	j := newJob(s, name, jobRecord{Input: *in, Owner: owner, Created: s.cfg.Clock()})
	err := j.change(func(r *jobRecord) {
		r.Status, r.Secondary = types.TrainingJobStatusInProgress, types.SecondaryStatusPending
	})
	if err == nil {
		s.jobs[name] = j
		s.enqueue(j)
	}
	s.mu.Unlock()
	s.report(Progress{Job: name, Status: types.TrainingJobStatusInProgress, Secondary: types.SecondaryStatusPending})
	s.pump()
	return err
}

// DescribeTrainingJob describes a job.
func (s *Service) DescribeTrainingJob(_ context.Context, in *sagemaker.DescribeTrainingJobInput, _ ...Options) (*sagemaker.DescribeTrainingJobOutput, error) {
	j, err := s.find(value(in.TrainingJobName))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.describe(), nil
}

// StopTrainingJob asks a job to end by checkpoint; it is Stopped when it has. A job that ended is a
// ValidationException, as in SageMaker.
func (s *Service) StopTrainingJob(_ context.Context, in *sagemaker.StopTrainingJobInput, _ ...Options) (*sagemaker.StopTrainingJobOutput, error) {
	j, err := s.find(value(in.TrainingJobName))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	if final(j.Status) {
		s.mu.Unlock()
		return nil, invalid("The request was rejected because the training job is in status %s.", j.Status)
	}
	s.mu.Unlock()
	err = j.update(func(r *jobRecord) {
		r.Stop = true
		if !final(r.Status) {
			r.Status, r.Secondary = types.TrainingJobStatusStopping, types.SecondaryStatusStopping
		}
	})
	s.dequeue(j)
	return &sagemaker.StopTrainingJobOutput{}, err
}

// dequeue ends a stopped job that had not begun.
func (s *Service) dequeue(j *job) {
	s.mu.Lock()
	waiting := false
	for i, q := range s.queue {
		if q == j {
			s.queue, waiting = append(s.queue[:i:i], s.queue[i+1:]...), true
			break
		}
	}
	s.mu.Unlock()
	if waiting {
		j.end(types.TrainingJobStatusStopped, types.SecondaryStatusStopped, "")
	}
}

// Wait blocks until a job has ended and describes it.
func (s *Service) Wait(ctx context.Context, name string) (*sagemaker.DescribeTrainingJobOutput, error) {
	j, err := s.find(name)
	if err != nil {
		return nil, err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return s.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: &name})
}

func (s *Service) find(name string) (*job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[name]
	if !ok {
		return nil, notFound("Requested resource not found: training job %s", name)
	}
	return j, nil
}

var nameShape = regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`)

func checkName(kind string, name *string) error {
	if !nameShape.MatchString(value(name)) {
		return invalid("%s name %q does not match %s", kind, value(name), nameShape)
	}
	return nil
}

// checkTraining refuses what SageMaker refuses, and what only SageMaker can do.
func (s *Service) checkTraining(in *sagemaker.CreateTrainingJobInput) error {
	if err := validate(in); err != nil {
		return invalid("%s", err)
	}
	if err := checkName("training job", in.TrainingJobName); err != nil {
		return err
	}
	if err := s.checkContainer(in); err != nil {
		return err
	}
	if err := s.checkOutput(in); err != nil {
		return err
	}
	return s.checkChannels(in.InputDataConfig)
}

func (s *Service) checkContainer(in *sagemaker.CreateTrainingJobInput) error {
	spec := in.AlgorithmSpecification
	switch {
	case len(spec.ContainerEntrypoint) == 0:
		return invalid("AlgorithmSpecification.ContainerEntrypoint is needed on one machine: there is no image to run")
	case spec.TrainingInputMode != types.TrainingInputModeFile:
		return invalid("AlgorithmSpecification.TrainingInputMode %q: only File works on one machine", spec.TrainingInputMode)
	case in.StoppingCondition == nil || aws.ToInt32(in.StoppingCondition.MaxRuntimeInSeconds) < 1:
		return invalid("StoppingCondition.MaxRuntimeInSeconds must be at least 1")
	case len(in.HyperParameters) > 100 || len(in.Environment) > 100 || len(spec.MetricDefinitions) > 40:
		return invalid("at most 100 hyperparameters, 100 environment variables and 40 metric definitions")
	}
	return checkValues(in)
}

// checkValues applies SageMaker's limits to hyperparameters and environment.
func checkValues(in *sagemaker.CreateTrainingJobInput) error {
	for k, v := range in.HyperParameters {
		if len(k) > 256 || len(v) > 2500 {
			return invalid("hyperparameter %s: at most 256 characters of name and 2500 of value", clip(k))
		}
	}
	for k, v := range in.Environment {
		if len(k) > 512 || len(v) > 512 {
			return invalid("environment variable %s: at most 512 characters", clip(k))
		}
	}
	return nil
}

func (s *Service) checkOutput(in *sagemaker.CreateTrainingJobInput) error {
	out := in.OutputDataConfig
	if out == nil || out.CompressionType != types.OutputCompressionTypeNone {
		return invalid("OutputDataConfig.CompressionType must be NONE: results are kept as files")
	}
	_, err := s.cfg.key(out.S3OutputPath)
	if err == nil && in.CheckpointConfig != nil {
		_, err = s.cfg.key(in.CheckpointConfig.S3Uri)
	}
	return err
}

func (s *Service) checkChannels(channels []types.Channel) error {
	if len(channels) > 20 {
		return invalid("at most 20 channels")
	}
	for i, ch := range channels {
		if err := s.checkChannel(ch); err != nil {
			return fmt.Errorf("InputDataConfig[%d]: %w", i, err)
		}
	}
	return nil
}

var channelShape = regexp.MustCompile(`^[A-Za-z0-9.\-_]{1,64}$`)

func (s *Service) checkChannel(ch types.Channel) error {
	name := value(ch.ChannelName)
	if !channelShape.MatchString(name) || name == "." || name == ".." {
		return invalid("channel name %q does not match %s", name, channelShape)
	}
	if ch.DataSource == nil || ch.DataSource.S3DataSource == nil {
		return invalid("channel %s needs an S3DataSource on one machine", name)
	}
	src := ch.DataSource.S3DataSource
	if src.S3DataType != types.S3DataTypeS3Prefix && src.S3DataType != types.S3DataTypeManifestFile {
		return invalid("channel %s: S3DataType %q: only S3Prefix and ManifestFile work on one machine", name, src.S3DataType)
	}
	_, err := s.cfg.key(src.S3Uri)
	return err
}
