package sagemaker

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// jobGrace is the time between SIGTERM and SIGKILL, SageMaker's own (docker stop -t120).
const jobGrace = 120 * time.Second

// outcome is how an attempt ended.
type outcome struct {
	code        int
	interrupted bool // the platform goes down, or was down when it ended
	timedOut    bool // MaxRuntimeInSeconds
}

// run takes a job to its end, or leaves it InProgress when the platform goes down first.
func (j *job) run(ctx context.Context) {
	if j.stopping() && !j.Prepared {
		j.end(types.TrainingJobStatusStopped, types.SecondaryStatusStopped, "")
		return
	}
	out, known := j.earlier()
	if !known {
		var err error
		if out, err = j.attempt(ctx); err != nil {
			j.end(types.TrainingJobStatusFailed, types.SecondaryStatusFailed, "ClientError: "+err.Error())
			return
		}
	}
	j.conclude(ctx, out)
}

// earlier tells how the last attempt of an earlier platform process ended, when it ended by itself.
func (j *job) earlier() (outcome, bool) {
	if j.Attempts == 0 {
		return outcome{}, false
	}
	j.reap(j.s.cfg.After, jobGrace)
	code, known := j.status()
	if !known || code > 128 { // killed: with the platform, or by a signal meanwhile
		_ = j.update(func(r *jobRecord) {
			count(r, j.lastRan())
			if !r.Stop {
				r.Secondary = types.SecondaryStatusRestarting
			}
		})
		return outcome{code: code}, j.stopping()
	}
	_ = j.update(func(r *jobRecord) { count(r, j.lastRan()) })
	return outcome{code: code}, true
}

// count adds an attempt's time, once.
func count(r *jobRecord, ran time.Duration) { r.Ran, r.Attempt = r.Ran+ran, time.Time{} }

// lastRan is how long an attempt that nobody awaited ran: until its last line of output.
func (j *job) lastRan() time.Duration {
	info, err := os.Stat(j.log())
	if err != nil || j.Attempt.IsZero() {
		return 0
	}
	return max(0, info.ModTime().Sub(j.Attempt))
}

// attempt prepares the layout, runs the entry point once and awaits it.
func (j *job) attempt(ctx context.Context) (outcome, error) {
	if !j.Prepared {
		_ = j.update(func(r *jobRecord) { r.Secondary = types.SecondaryStatusDownloading })
		if err := j.prepare(ctx, j.s.cfg, &j.Input); err != nil {
			return outcome{}, err
		}
	}
	err := j.update(func(r *jobRecord) {
		r.Prepared, r.Attempt, r.Secondary = true, j.s.cfg.Clock(), types.SecondaryStatusTraining
		r.Attempts++
		if r.Began.IsZero() {
			r.Began = r.Attempt
		}
	})
	if err != nil {
		return outcome{}, err
	}
	p, err := j.start()
	if err != nil {
		return outcome{}, err
	}
	return j.attend(p), nil
}

func (j *job) start() (*process, error) {
	spec := j.Input.AlgorithmSpecification
	args := append(j.command(j.s.cfg, spec.ContainerEntrypoint), spec.ContainerArguments...)
	env := map[string]string{"TRAINING_JOB_NAME": j.name, "TRAINING_JOB_ARN": *arn("training-job", j.name)}
	for k, v := range j.Input.Environment {
		env[k] = v
	}
	p, err := launch(j.layout, args, j.environment(j.s.cfg, env))
	if err == nil {
		j.s.mu.Lock()
		j.proc = p
		j.s.mu.Unlock()
	}
	return p, err
}

// attend awaits a process, enforcing the maximum runtime and passing stops on.
func (j *job) attend(p *process) outcome {
	followed := make(chan struct{})
	go func() { j.follow(p.exited); close(followed) }()
	var (
		out   outcome
		grace <-chan time.Time
		stop  = j.stop
		down  = j.s.closing
		limit = j.s.cfg.After(j.remaining())
		end   = func() { p.terminate(); grace = j.s.cfg.After(jobGrace) }
	)
	for running := true; running; {
		select {
		case <-p.exited:
			running = false
		case <-stop:
			stop = nil
			end()
		case <-limit:
			limit, out.timedOut = nil, true
			end()
		case <-down:
			down, out.interrupted = nil, true
			end()
		case <-grace:
			p.kill()
		}
	}
	<-followed
	out.code, _ = j.status()
	_ = j.update(func(r *jobRecord) { count(r, j.s.cfg.Clock().Sub(r.Attempt)) })
	return out
}

func (j *job) remaining() time.Duration {
	return max(0, time.Duration(aws.ToInt32(j.Input.StoppingCondition.MaxRuntimeInSeconds))*time.Second-j.Ran)
}

// conclude records how a job ended and stores its results.
func (j *job) conclude(ctx context.Context, out outcome) {
	switch {
	case out.code == 0:
		j.complete(ctx)
	case out.interrupted && !j.stopping() && (out.code > 128 || out.code == lost):
		_ = j.update(func(r *jobRecord) { r.Secondary = types.SecondaryStatusInterrupted })
	case j.stopping():
		j.keepCheckpoints(ctx)
		j.end(types.TrainingJobStatusStopped, types.SecondaryStatusStopped, "")
	case out.timedOut:
		j.keepCheckpoints(ctx)
		j.end(types.TrainingJobStatusStopped, types.SecondaryStatusMaxRuntimeExceeded, "")
	default:
		j.keepCheckpoints(ctx)
		j.end(types.TrainingJobStatusFailed, types.SecondaryStatusFailed, j.reason(out.code))
	}
}

// complete uploads the results; a job whose results cannot be stored has failed. The model folder
// and the checkpoints are removed afterwards: the objects are the truth.
func (j *job) complete(ctx context.Context) {
	_ = j.update(func(r *jobRecord) { r.Secondary = types.SecondaryStatusUploading })
	for _, part := range []string{"model", "data"} {
		dir := j.ml("model")
		if part == "data" {
			dir = j.ml("output", "data")
		}
		if err := j.s.cfg.upload(ctx, dir, j.outputKey()+part+"/"); err != nil {
			j.end(types.TrainingJobStatusFailed, types.SecondaryStatusFailed, "InternalServerError: upload "+part+": "+err.Error())
			return
		}
	}
	j.end(types.TrainingJobStatusCompleted, types.SecondaryStatusCompleted, "")
	for _, part := range []string{"model", "checkpoints", "input/data"} {
		_ = os.RemoveAll(j.ml(part))
	}
}

// keepCheckpoints stores the checkpoints of a job that did not complete, for one that goes on.
func (j *job) keepCheckpoints(ctx context.Context) {
	if j.Input.CheckpointConfig == nil {
		return
	}
	key, err := j.s.cfg.keyFolder(j.Input.CheckpointConfig.S3Uri)
	if err == nil {
		err = j.s.cfg.upload(ctx, j.ml("checkpoints"), key)
	}
	if err != nil {
		j.s.cfg.Logger.Warn("keep checkpoints", "job", j.name, "error", err)
	}
}

func (j *job) end(status types.TrainingJobStatus, secondary types.SecondaryStatus, why string) {
	_ = j.update(func(r *jobRecord) { r.Status, r.Secondary, r.Failure = status, secondary, why })
}

func (j *job) stopping() bool {
	select {
	case <-j.stop:
		return true
	default:
		return false
	}
}

// reason words a failure as SageMaker does: the failure file, else the end of the log.
func (j *job) reason(code int) string {
	why := readTail(j.ml("output", "failure"), 1024)
	if why == "" {
		why = readTail(j.log(), 1024)
	}
	ended := fmt.Sprintf("exit code: %d", code)
	if code == lost {
		ended = "killed"
	}
	return strings.TrimSpace(fmt.Sprintf("AlgorithmError: %s, %s", why, ended))
}
