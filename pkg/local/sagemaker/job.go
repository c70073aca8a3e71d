package sagemaker

import (
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// jobRecord is what is kept of a training job.
type jobRecord struct {
	Input       sagemaker.CreateTrainingJobInput
	Owner       string // task that created it; empty for direct calls
	Status      types.TrainingJobStatus
	Secondary   types.SecondaryStatus
	Transitions []types.SecondaryStatusTransition
	Failure     string
	Prepared    bool          // the layout is complete
	Stop        bool          // StopTrainingJob was called
	Attempts    int           // processes started
	Ran         time.Duration // of attempts that ended
	Created     time.Time
	Modified    time.Time
	Began       time.Time // first attempt
	Attempt     time.Time // latest attempt
	Ended       time.Time
}

// job is a record with what is only in memory. Its fields are guarded by Service.mu.
type job struct {
	jobRecord
	layout
	s    *Service
	name string
	proc *process
	stop chan struct{} // closed when Stop was set
	done chan struct{} // closed when Status is final
}

func newJob(s *Service, name string, r jobRecord) *job {
	j := &job{jobRecord: r, layout: layout{filepath.Join(s.records.dir, name)}, s: s, name: name,
		stop: make(chan struct{}), done: make(chan struct{})}
	if r.Stop {
		close(j.stop)
	}
	if final(r.Status) {
		close(j.done)
	}
	return j
}

// update changes the record, stamps it and stores it, then reports.
func (j *job) update(change func(*jobRecord)) error {
	j.s.mu.Lock()
	err := j.change(change)
	p := Progress{Job: j.name, Status: j.Status, Secondary: j.Secondary}
	j.s.mu.Unlock()
	if err != nil {
		j.s.cfg.Logger.Error("keep training job", "job", j.name, "error", err)
	}
	j.s.report(p)
	return err
}

// change is update for callers that hold mu.
func (j *job) change(change func(*jobRecord)) error {
	was, before := j.Secondary, j.Status
	change(&j.jobRecord)
	j.Modified = j.s.cfg.Clock()
	if j.Secondary != was {
		j.transition()
	}
	if final(j.Status) && !final(before) {
		j.Ended = j.Modified
		j.Transitions[len(j.Transitions)-1].EndTime = aws.Time(j.Modified)
		defer close(j.done)
	}
	if j.Stop {
		select {
		case <-j.stop:
		default:
			close(j.stop)
		}
	}
	return j.s.records.save(j.name, &j.jobRecord)
}

func (j *job) transition() {
	if n := len(j.Transitions); n > 0 {
		j.Transitions[n-1].EndTime = aws.Time(j.Modified)
	}
	t := types.SecondaryStatusTransition{Status: j.Secondary, StartTime: aws.Time(j.Modified)}
	if j.Failure != "" {
		t.StatusMessage = aws.String(j.Failure)
	}
	j.Transitions = append(j.Transitions, t)
}

func (s *Service) report(p Progress) {
	if s.cfg.OnProgress != nil {
		s.cfg.OnProgress(p)
	}
}

// describe gives the record as DescribeTrainingJob does. The caller holds mu.
func (j *job) describe() *sagemaker.DescribeTrainingJobOutput {
	in := j.Input
	out := &sagemaker.DescribeTrainingJobOutput{
		TrainingJobName: in.TrainingJobName, TrainingJobArn: arn("training-job", j.name),
		TrainingJobStatus: j.Status, SecondaryStatus: j.Secondary, SecondaryStatusTransitions: j.Transitions,
		AlgorithmSpecification: in.AlgorithmSpecification, HyperParameters: in.HyperParameters, Environment: in.Environment,
		RoleArn: in.RoleArn, InputDataConfig: in.InputDataConfig, OutputDataConfig: in.OutputDataConfig,
		ResourceConfig: in.ResourceConfig, StoppingCondition: in.StoppingCondition, CheckpointConfig: in.CheckpointConfig,
		EnableManagedSpotTraining: in.EnableManagedSpotTraining, RetryStrategy: in.RetryStrategy,
		CreationTime: aws.Time(j.Created), LastModifiedTime: aws.Time(j.Modified),
	}
	j.describeEnd(out)
	return out
}

func (j *job) describeEnd(out *sagemaker.DescribeTrainingJobOutput) {
	if !j.Began.IsZero() {
		out.TrainingStartTime = aws.Time(j.Began)
	}
	if j.Failure != "" {
		out.FailureReason = aws.String(j.Failure)
	}
	if !final(j.Status) {
		return
	}
	out.TrainingEndTime = aws.Time(j.Ended)
	seconds := aws.Int32(int32(j.Ran.Seconds()))
	out.TrainingTimeInSeconds, out.BillableTimeInSeconds = seconds, seconds
	out.FinalMetricDataList = j.finalMetrics()
	if j.Status == types.TrainingJobStatusCompleted {
		out.ModelArtifacts = &types.ModelArtifacts{S3ModelArtifacts: aws.String("s3://" + j.s.cfg.Bucket + "/" + j.outputKey() + "model/")}
	}
}

// outputKey is the key prefix below which the job's results go: <S3OutputPath>/<job>/output/.
func (j *job) outputKey() string {
	key, _ := j.s.cfg.keyFolder(j.Input.OutputDataConfig.S3OutputPath) // checked at creation
	return key + j.name + "/output/"
}

func arn(kind, name string) *string {
	return aws.String("arn:aws:sagemaker:" + region + ":" + account + ":" + kind + "/" + name)
}
