package sagemaker_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aws_sagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
)

func TestService_CreateTrainingJob(t *testing.T) {
	t.Run("a job's results, metrics and log are kept", func(t *testing.T) {
		b := newBench(t)
		b.train("job-1", nil)
		out := b.ended("job-1")
		require.Equal(t, types.TrainingJobStatusCompleted, out.TrainingJobStatus, aws.ToString(out.FailureReason))
		require.Equal(t, "s3://bkt/runs/r1/job-1/output/model/", *out.ModelArtifacts.S3ModelArtifacts)
		require.Equal(t, "rows=3 steps=3", b.read("runs/r1/job-1/output/model/weights/w.bin"))
		require.Equal(t, "1\n2\n3\n", b.read("runs/r1/job-1/output/data/steps.txt"))
		require.InDelta(t, 0.333, *out.FinalMetricDataList[0].Value, 1e-6)
		require.Equal(t, []types.SecondaryStatus{"Pending", "Downloading", "Training", "Uploading", "Completed"}, statuses(out))

		points, err := b.Metrics(t.Context(), "job-1")
		require.NoError(t, err)
		require.Len(t, points, 3)
		require.Equal(t, int64(2), points[1].Step)
		require.Equal(t, map[string]float64{"loss": 0.5}, points[1].Values)

		lines, next, done, err := b.Logs(t.Context(), "job-1", 0)
		require.NoError(t, err)
		require.False(t, done, "a page with lines is not the last")
		require.Equal(t, "rows 3 channels ['code', 'train']", lines[0])
		more, same, done, err := b.Logs(t.Context(), "job-1", next)
		require.NoError(t, err)
		require.Empty(t, more)
		require.True(t, done)
		require.Equal(t, next, same)
	})
	t.Run("a failure is told in the job's own words", func(t *testing.T) {
		b := newBench(t)
		b.train("job-1", map[string]string{"fail": "3"})
		out := b.ended("job-1")
		require.Equal(t, types.TrainingJobStatusFailed, out.TrainingJobStatus)
		require.Equal(t, "AlgorithmError: data: channel train: line 7 is not JSON, exit code: 3", *out.FailureReason)
	})
	t.Run("an empty channel fails before anything runs", func(t *testing.T) {
		b := newBench(t)
		in := jobInput("job-1", nil)
		in.InputDataConfig = append(in.InputDataConfig, channel("replay", "s3://bkt/data/replay/"))
		_, err := b.CreateTrainingJob(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, "ClientError: channel replay: no S3 objects found under s3://bkt/data/replay/", *b.ended("job-1").FailureReason)
	})
	t.Run("a manifest names the files of a channel", func(t *testing.T) {
		b := newBench(t)
		b.put("runs/r1/train.manifest", `[{"prefix":"s3://bkt/data/"},"train/part-1.jsonl"]`)
		in := jobInput("job-1", nil)
		in.InputDataConfig[1] = channel("train", "s3://bkt/runs/r1/train.manifest")
		in.InputDataConfig[1].DataSource.S3DataSource.S3DataType = types.S3DataTypeManifestFile
		_, err := b.CreateTrainingJob(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, types.TrainingJobStatusCompleted, b.ended("job-1").TrainingJobStatus)
		require.Equal(t, "rows=1 steps=3", b.read("runs/r1/job-1/output/model/weights/w.bin"))
	})
	t.Run("a name is used once", func(t *testing.T) {
		b := newBench(t)
		b.train("job-1", nil)
		_, err := b.CreateTrainingJob(t.Context(), jobInput("job-1", nil))
		var inUse *types.ResourceInUse
		require.ErrorAs(t, err, &inUse)
	})
	t.Run("jobs take turns in order of arrival", func(t *testing.T) {
		var mu sync.Mutex
		var trained []string
		b := newBench(t, func(c *sagemaker.Config) {
			c.OnProgress = func(p sagemaker.Progress) {
				mu.Lock()
				defer mu.Unlock()
				if p.Secondary == types.SecondaryStatusTraining && p.Point == nil && (len(trained) == 0 || trained[len(trained)-1] != p.Job) {
					trained = append(trained, p.Job)
				}
			}
		})
		gate := filepath.Join(t.TempDir(), "go")
		b.train("job-1", map[string]string{"hold": "1", "until": gate})
		b.train("job-2", nil)
		b.train("job-3", nil)
		b.reaches("job-1", "[perennial] step=1")
		out, err := b.DescribeTrainingJob(t.Context(), &aws_sagemaker.DescribeTrainingJobInput{TrainingJobName: aws.String("job-3")})
		require.NoError(t, err)
		require.Equal(t, types.SecondaryStatusPending, out.SecondaryStatus)
		require.NoError(t, os.WriteFile(gate, nil, 0o600))
		b.ended("job-3")
		require.Equal(t, []string{"job-1", "job-2", "job-3"}, trained)
	})
}

func TestService_CreateTrainingJob_refuses(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		change func(*aws_sagemaker.CreateTrainingJobInput)
		want   string
	}{
		"no role":    {func(in *aws_sagemaker.CreateTrainingJobInput) { in.RoleArn = nil }, "missing required field, CreateTrainingJobInput.RoleArn"},
		"a bad name": {func(in *aws_sagemaker.CreateTrainingJobInput) { in.TrainingJobName = aws.String("a_b") }, `"a_b" does not match`},
		"another bucket": {func(in *aws_sagemaker.CreateTrainingJobInput) {
			in.OutputDataConfig.S3OutputPath = aws.String("s3://x/y")
		}, `"s3://x/y" is not in the bucket bkt`},
		"compressed output": {func(in *aws_sagemaker.CreateTrainingJobInput) { in.OutputDataConfig.CompressionType = "" }, "CompressionType must be NONE"},
		"no entry point":    {func(in *aws_sagemaker.CreateTrainingJobInput) { in.AlgorithmSpecification.ContainerEntrypoint = nil }, "ContainerEntrypoint is needed"},
		"no time limit":     {func(in *aws_sagemaker.CreateTrainingJobInput) { in.StoppingCondition.MaxRuntimeInSeconds = nil }, "at least 1"},
		"a channel outside": {func(in *aws_sagemaker.CreateTrainingJobInput) { in.InputDataConfig[0].ChannelName = aws.String("..") }, `channel name ".."`},
		"a long value": {func(in *aws_sagemaker.CreateTrainingJobInput) {
			in.HyperParameters = map[string]string{"k": strings.Repeat("x", 2501)}
		}, "2500 of value"},
	} {
		t.Run(name, func(t *testing.T) {
			in := jobInput("job-1", nil)
			c.change(in)
			_, err := b.CreateTrainingJob(t.Context(), in)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestService_StopTrainingJob(t *testing.T) {
	t.Run("a running job ends by checkpoint and a later one goes on from it", func(t *testing.T) {
		b := newBench(t)
		b.train("job-1", map[string]string{"hold": "2", "until": "/nowhere"})
		b.reaches("job-1", "[perennial] step=2")
		_, err := b.StopTrainingJob(t.Context(), &aws_sagemaker.StopTrainingJobInput{TrainingJobName: aws.String("job-1")})
		require.NoError(t, err)
		require.Equal(t, types.TrainingJobStatusStopped, b.ended("job-1").TrainingJobStatus)
		require.Equal(t, "2", b.read("runs/r1/checkpoints/step"))

		b.train("job-2", nil)
		b.ended("job-2")
		require.Equal(t, "3\n", b.read("runs/r1/job-2/output/data/steps.txt"))
		require.Equal(t, "2", b.read("runs/r1/checkpoints/step"), "a kept checkpoint is not written through")
	})
	t.Run("a waiting job never starts", func(t *testing.T) {
		b := newBench(t)
		b.train("job-1", map[string]string{"hold": "1", "until": "/nowhere"})
		b.train("job-2", nil)
		_, err := b.StopTrainingJob(t.Context(), &aws_sagemaker.StopTrainingJobInput{TrainingJobName: aws.String("job-2")})
		require.NoError(t, err)
		require.Equal(t, []types.SecondaryStatus{"Pending", "Stopping", "Stopped"}, statuses(b.ended("job-2")))
	})
	t.Run("the maximum runtime ends a job", func(t *testing.T) {
		limit := make(chan time.Time, 1)
		b := newBench(t, func(c *sagemaker.Config) {
			c.After = func(d time.Duration) <-chan time.Time {
				if d == time.Hour {
					return limit
				}
				return nil
			}
		})
		b.train("job-1", map[string]string{"hold": "1", "until": "/nowhere"})
		b.reaches("job-1", "[perennial] step=1")
		limit <- time.Time{}
		out := b.ended("job-1")
		require.Equal(t, types.TrainingJobStatusStopped, out.TrainingJobStatus)
		require.Equal(t, types.SecondaryStatusMaxRuntimeExceeded, out.SecondaryStatus)
	})
}

func statuses(out *aws_sagemaker.DescribeTrainingJobOutput) []types.SecondaryStatus {
	var list []types.SecondaryStatus
	for _, t := range out.SecondaryStatusTransitions {
		list = append(list, t.Status)
	}
	return list
}
