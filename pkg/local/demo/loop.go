package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/local/cli"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// expected says what must have happened, so that the demo cannot pretend.
func expected(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("did not happen: "+format, args...)
}

func (d *demo) ask(ctx context.Context, q question) (string, error) {
	r, err := d.users["ana"].Ask(ctx, "production", model, q.Question)
	if err == nil {
		d.say("“%s” → “%s” (version %s)", q.Question, r.Text, r.Version)
	}
	return r.Text, err
}

// askBefore keeps the questions that the base does not happen to guess.
func (d *demo) askBefore(ctx context.Context) error {
	for _, q := range d.script.Questions {
		text, err := d.ask(ctx, q)
		if err != nil {
			return err
		}
		if !q.right(text) {
			d.report.Asked = append(d.report.Asked, Asked{question: q, Before: text})
		}
	}
	return expected(len(d.report.Asked) >= 3, "the base should not know the company yet")
}

// askAfter asks them again; a small model may miss one.
func (d *demo) askAfter(ctx context.Context) error {
	right := 0
	for i, a := range d.report.Asked {
		text, err := d.ask(ctx, a.question)
		if err != nil {
			return err
		}
		d.report.Asked[i].After = text
		if a.right(text) {
			right++
		}
	}
	return expected(right >= len(d.report.Asked)-1, "the new version should know the company, it answers %d of %d", right, len(d.report.Asked))
}

// arrival uploads the faulty file; the trigger is armed, so the rest of the loop starts by itself.
func (d *demo) arrival(ctx context.Context) error {
	in, err := d.upload(ctx, "arrival.jsonl")
	if err != nil {
		return err
	}
	d.arrived = in.Created
	var b strings.Builder
	cli.PrintIngestion(&b, in)
	d.say("%s", strings.TrimSpace(b.String()))
	d.report.Ingestion = map[string]int{"read": in.Counts.Rows, "accepted": in.Counts.Accepted, "rejected": in.Counts.Rejected,
		"overlaps": in.Counts.Overlaps, "masked": in.Counts.Masked}
	return errors.Join(expected(in.DatasetVersion == 2, "the valid part should be version 2, it is %d (%s %s)", in.DatasetVersion, in.Status, in.Error),
		expected(in.Counts.Rejected-in.Counts.Overlaps == 2, "two bad rows should be rejected, %d are", in.Counts.Rejected-in.Counts.Overlaps),
		expected(in.Counts.Overlaps == 1, "one overlap with a benchmark should be found, %d are", in.Counts.Overlaps),
		expected(in.Counts.Masked == 1, "one row with a card number should be masked, %d are", in.Counts.Masked))
}

// train follows the run that the data started.
func (d *demo) train(ctx context.Context) error {
	run, err := d.newestRun(ctx, "")
	if err != nil {
		return err
	}
	d.say("run %s started by itself: %s", run.ID, run.Reason)
	run, err = d.follow(ctx, run.ID)
	if err != nil {
		return err
	}
	d.learned = run.Candidate
	return d.keepArrivalTime(ctx, run)
}

// newestRun waits for a run other than the one named.
func (d *demo) newestRun(ctx context.Context, not string) (training.Run, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var runs struct {
			Items []training.Run `json:"items"`
		}
		if err := d.users["ana"].Get(ctx, "/v1/runs?limit=1", &runs); err != nil {
			return training.Run{}, err
		}
		if len(runs.Items) > 0 && runs.Items[0].ID != not {
			return runs.Items[0], nil
		}
		select {
		case <-ctx.Done():
			return training.Run{}, fmt.Errorf("no run started: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// follow tells a run's progress until it ends well.
func (d *demo) follow(ctx context.Context, id string) (training.Run, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	run, err := d.users["ana"].FollowRun(ctx, id, func(r training.Run) { d.say("%s%s", strings.ToLower(string(r.Status)), d.progress(ctx, r)) })
	if err != nil {
		return run, err
	}
	return run, expected(run.Status == training.Judged, "run %s should be judged, it is %s: %s", run.ID, run.Status, run.Error)
}

// progress is the newest point of a training job's curves.
func (d *demo) progress(ctx context.Context, r training.Run) string {
	var points struct {
		Items []httpapi.MetricPoint `json:"items"`
	}
	if r.Status != training.Training || d.users["ana"].Get(ctx, "/v1/runs/"+r.ID+"/metrics", &points) != nil || len(points.Items) == 0 {
		return ""
	}
	last := points.Items[len(points.Items)-1]
	v := last.Values
	if v["steps"] == 0 && v["items"] == 0 {
		return ""
	}
	if v["steps"] == 0 {
		return fmt.Sprintf(": the model writes down what it knows, %.0f of %.0f", v["item"], v["items"])
	}
	return fmt.Sprintf(" step %d of %.0f, loss %.3f, about %.0f s left", last.Step, v["steps"], v["loss"], v["eta_s"])
}

// keepArrivalTime measures from the arrival of the file to the start of the training process.
func (d *demo) keepArrivalTime(ctx context.Context, run training.Run) error {
	started, err := d.platform.JobStarted(ctx, run.Job)
	d.report.ArrivalToTrain = seconds(started.Sub(d.arrived))
	if err == nil {
		d.say("the training process started %.2f s after the file had arrived", d.report.ArrivalToTrain)
	}
	return err
}

func (d *demo) judged(ctx context.Context) error {
	run, err := d.newestRun(ctx, "")
	if err != nil {
		return err
	}
	scores, err := d.tellReport(ctx, run, "safe")
	if err != nil {
		return err
	}
	return errors.Join(expected(run.Verdict == "PASS" || run.Verdict == "INCONCLUSIVE", "the gate should not fail the safe run: %s", run.Verdict),
		expected(scores.NewAfter > scores.NewBefore, "new knowledge should grow"),
		expected(run.Release != "", "a release should be asked for: %s", run.Error))
}

// tellReport tells what the gate saw of a run and keeps its numbers.
func (d *demo) tellReport(ctx context.Context, run training.Run, name string) (Scores, error) {
	var r gate.Report
	if err := d.users["ana"].Get(ctx, "/v1/reports/"+run.Report, &r); err != nil {
		return Scores{}, err
	}
	d.say("%s: %s", r.Verdict, r.Summary)
	var s Scores
	for _, c := range r.Benchmarks {
		d.say("%s: %s → %s over %d items (%d gained, %d forgotten)", c.Name, percent(c.OldMean), percent(c.NewMean), c.N, c.Gained, c.Forgotten)
		if c.Name == "company" {
			s.NewBefore, s.NewAfter, s.NewItems = c.OldMean, c.NewMean, c.N
		} else {
			s.OldBefore, s.OldAfter, s.OldItems = c.OldMean, c.NewMean, c.N
		}
	}
	d.report.Scores[name], d.report.Verdicts[name], d.report.Digests["report "+name] = s, string(r.Verdict), run.Report
	d.report.Digests["version "+name] = r.Digests.Candidate
	return s, nil
}

// naive trains the same data without protection and refuses the release that may follow.
func (d *demo) naive(ctx context.Context) error {
	run, err := d.startRun(ctx, "naive", "comparison")
	if err != nil {
		return err
	}
	if run, err = d.follow(ctx, run.ID); err != nil {
		return err
	}
	if _, err := d.tellReport(ctx, run, "naive"); err != nil || run.Release == "" {
		return err
	}
	var rel rollout.Release
	if err := d.users["ben"].Get(ctx, "/v1/releases/"+run.Release, &rel); err != nil {
		return err
	}
	return d.refuse(ctx, rel.Approval, "only trained for comparison")
}

func (d *demo) startRun(ctx context.Context, preset, why string) (training.Run, error) {
	var run training.Run
	err := d.users["ana"].Post(ctx, "/v1/runs", map[string]any{"model": model, "preset": preset, "reason": why}, &run)
	return run, err
}
