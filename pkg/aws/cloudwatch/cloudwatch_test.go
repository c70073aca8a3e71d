package cloudwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	aws_sagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/cloudwatch"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/training/contract"
)

// fake keeps one job and its log.
type fake struct {
	status sagemakertypes.TrainingJobStatus
	events []types.FilteredLogEvent
	err    error
}

func (f *fake) DescribeTrainingJob(_ context.Context, in *aws_sagemaker.DescribeTrainingJobInput, _ ...func(*aws_sagemaker.Options)) (*aws_sagemaker.DescribeTrainingJobOutput, error) {
	if *in.TrainingJobName != "run-1-0" {
		return nil, &sagemakertypes.ResourceNotFound{}
	}
	return &aws_sagemaker.DescribeTrainingJobOutput{TrainingJobStatus: f.status}, nil
}

func (f *fake) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	out := &cloudwatchlogs.FilterLogEventsOutput{}
	for _, e := range f.events {
		if *e.Timestamp >= *in.StartTime && strings.Contains(*e.Message, strings.Trim(aws.ToString(in.FilterPattern), `"`)) {
			out.Events = append(out.Events, e)
		}
	}
	return out, nil
}

func line(ms int64, text string) types.FilteredLogEvent {
	return types.FilteredLogEvent{Timestamp: &ms, Message: &text}
}

func TestJobs_Logs(t *testing.T) {
	f := &fake{status: sagemakertypes.TrainingJobStatusCompleted, events: []types.FilteredLogEvent{line(5, "one"), line(7, "two")}}
	j := cloudwatch.New(f, f)
	lines, next, done, err := j.Logs(t.Context(), "run-1-0", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two"}, lines)
	require.False(t, done)
	lines, next, done, err = j.Logs(t.Context(), "run-1-0", next)
	require.NoError(t, err)
	require.Empty(t, lines)
	require.Equal(t, int64(7), next)
	require.True(t, done)
	_, _, _, err = j.Logs(t.Context(), "other", 0)
	require.Equal(t, errs.NotFound, errs.CodeOf(err))
}

func TestJobs_Logs_pagesEndBetweenMilliseconds(t *testing.T) {
	f := &fake{status: sagemakertypes.TrainingJobStatusInProgress}
	for i := range 1500 {
		f.events = append(f.events, line(int64(1+i/1200), "x"))
	}
	lines, next, _, err := cloudwatch.New(f, f).Logs(t.Context(), "run-1-0", 0)
	require.NoError(t, err)
	require.Len(t, lines, 1200, "all lines of a millisecond come together")
	require.Equal(t, int64(1), next)
}

func TestJobs_Metrics(t *testing.T) {
	f := &fake{status: sagemakertypes.TrainingJobStatusInProgress, events: []types.FilteredLogEvent{
		line(1000, "loading"), line(2000, "[perennial] step=10 loss=1.25 phase=train\n"), line(3000, "[perennial] stopped: soon"), line(4000, "[perennial] step=20 loss=nan")}}
	points, err := cloudwatch.New(f, f).Metrics(t.Context(), "run-1-0")
	require.NoError(t, err)
	require.Equal(t, []cloudwatch.Point{{Step: 10, Time: time.Unix(2, 0).UTC(), Values: map[string]float64{"loss": 1.25}}}, points)

	f.err = &types.ResourceNotFoundException{}
	points, err = cloudwatch.New(f, f).Metrics(t.Context(), "run-1-0")
	require.NoError(t, err, "nothing has logged yet")
	require.Empty(t, points)
	f.err = errors.New("dial tcp")
	_, err = cloudwatch.New(f, f).Metrics(t.Context(), "run-1-0")
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
}

func TestJobs_Metrics_ReadsTheLinesThatTheContainerWrites(t *testing.T) {
	raw, err := contract.Files.ReadFile("metrics.json")
	require.NoError(t, err)
	var m struct {
		Lines []struct {
			Line   string             `json:"line"`
			Step   int64              `json:"step"`
			Values map[string]float64 `json:"values"`
		} `json:"lines"`
	}
	require.NoError(t, json.Unmarshal(raw, &m))
	f := &fake{status: sagemakertypes.TrainingJobStatusInProgress}
	var want []cloudwatch.Point
	for i, l := range m.Lines {
		f.events = append(f.events, line(int64(1000*i), l.Line+"\n"))
		want = append(want, cloudwatch.Point{Step: l.Step, Time: time.Unix(int64(i), 0).UTC(), Values: l.Values})
	}
	points, err := cloudwatch.New(f, f).Metrics(t.Context(), "run-1-0")
	require.NoError(t, err)
	require.Equal(t, want, points)
}
