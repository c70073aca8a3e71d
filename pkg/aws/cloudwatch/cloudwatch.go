// Package cloudwatch reads what training jobs logged and measured.
package cloudwatch

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// LogsAPI is what the adapter calls of CloudWatch Logs.
type LogsAPI interface {
	FilterLogEvents(context.Context, *cloudwatchlogs.FilterLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error)
}

// JobsAPI tells whether a job has ended.
type JobsAPI interface {
	DescribeTrainingJob(context.Context, *sagemaker.DescribeTrainingJobInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeTrainingJobOutput, error)
}

// Jobs reads jobs' logs.
type Jobs struct {
	logs LogsAPI
	jobs JobsAPI
}

// New gives the jobs behind the two APIs.
func New(logs LogsAPI, jobs JobsAPI) Jobs { return Jobs{logs: logs, jobs: jobs} }

// group is where SageMaker writes the logs of training jobs, streams <job>/algo-1-….
const group = "/aws/sagemaker/TrainingJobs"

// most bounds one answer of Logs, in lines.
const most = 1000

// Logs gives the lines of a job's output after a time in milliseconds since 1970, and the time to go on
// from; done tells that the job has ended and nothing follows.
func (j Jobs) Logs(ctx context.Context, job string, after int64) (lines []string, next int64, done bool, err error) {
	ended, err := j.ended(ctx, job)
	if err != nil {
		return nil, after, false, err
	}
	events, err := j.events(ctx, job, after+1, "", most)
	if err != nil {
		return nil, after, false, err
	}
	next = after
	for _, e := range events {
		lines, next = append(lines, aws.ToString(e.Message)), max(next, aws.ToInt64(e.Timestamp))
	}
	return lines, next, ended && len(lines) == 0, nil
}

func (j Jobs) ended(ctx context.Context, job string) (bool, error) {
	out, err := j.jobs.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: &job})
	if err != nil {
		return false, errs.New(errs.NotFound, "no training job %q: %w", job, err)
	}
	return out.TrainingJobStatus != sagemakertypes.TrainingJobStatusInProgress && out.TrainingJobStatus != sagemakertypes.TrainingJobStatusStopping, nil
}

// events gives at most limit events from a time on. All events of one millisecond come together, so that
// a reader that goes on after the last time misses none.
func (j Jobs) events(ctx context.Context, job string, from int64, filter string, limit int) ([]types.FilteredLogEvent, error) {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group), LogStreamNamePrefix: aws.String(job + "/"), StartTime: &from}
	if filter != "" {
		in.FilterPattern = &filter
	}
	var out []types.FilteredLogEvent
	for {
		page, err := j.logs.FilterLogEvents(ctx, in)
		var absent *types.ResourceNotFoundException // no job of the account has logged yet
		if errors.As(err, &absent) {
			return nil, nil
		}
		if err != nil {
			return nil, errs.New(errs.Unavailable, "read log of %s: %w", job, err)
		}
		out = append(out, page.Events...)
		if in.NextToken = page.NextToken; in.NextToken == nil || len(out) >= limit {
			return whole(out, limit), nil
		}
	}
}

// whole cuts a list to a limit, at the end of a millisecond.
func whole(events []types.FilteredLogEvent, limit int) []types.FilteredLogEvent {
	end := min(limit, len(events))
	for end > 0 && end < len(events) && aws.ToInt64(events[end].Timestamp) == aws.ToInt64(events[end-1].Timestamp) {
		end++
	}
	return events[:end]
}

// Point is one metric line of a job: "[perennial] step=10 loss=1.25 …".
type Point struct {
	Step   int64
	Time   time.Time
	Values map[string]float64
}

// marker begins a metric line.
const marker = "[perennial] "

// maxPoints bounds one answer of Metrics.
const maxPoints = 5000

// Metrics gives the metric lines of a job so far, in order.
func (j Jobs) Metrics(ctx context.Context, job string) ([]Point, error) {
	events, err := j.events(ctx, job, 0, `"[perennial]"`, maxPoints)
	if err != nil {
		return nil, err
	}
	var out []Point
	for _, e := range events {
		if p, ok := parse(aws.ToString(e.Message)); ok {
			p.Time = time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC()
			out = append(out, p)
		}
	}
	return out, nil
}

// parse reads a metric line; ok is false when it holds no finite number.
func parse(line string) (p Point, ok bool) {
	rest, found := strings.CutPrefix(strings.TrimSpace(line), marker)
	if !found {
		return p, false
	}
	p.Values = map[string]float64{}
	for _, field := range strings.Fields(rest) {
		name, v, _ := strings.Cut(field, "=")
		x, err := strconv.ParseFloat(v, 64)
		switch {
		case err != nil || math.IsNaN(x) || math.IsInf(x, 0):
		case name == "step":
			p.Step = int64(x)
		default:
			p.Values[name] = x
		}
	}
	return p, len(p.Values) > 0
}
