package local

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	awssagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"golang.org/x/sync/errgroup"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/tasks"
)

// sweepEvery is how often the reconciler looks; events wake it sooner.
const sweepEvery = 2 * time.Second

// Serve resumes what was under way and serves on the listener until the context ends.
func (p *Platform) Serve(ctx context.Context, l net.Listener) error {
	if err := p.sagemaker.Resume(ctx); err != nil {
		return err
	}
	if n, err := p.Dataset.Reconcile(ctx); err != nil {
		return err
	} else if n > 0 {
		p.Logger.Warn("let in uploads that were stored before the last stop", "count", n)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return ended(p.states.Run(ctx)) })
	g.Go(func() error { return ended(p.triggers.Run(ctx)) })
	g.Go(func() error { return p.sweep(ctx) })
	g.Go(func() error { return p.forget(ctx) })
	g.Go(func() error { return p.listen(ctx, l) })
	return g.Wait()
}

// ended hides the error that says that the context ended.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (p *Platform) listen(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: p.handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		close(p.stopping)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(grace) // what is left is cut off by the process's end
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// wakeOnData lets triggers decide as soon as a dataset version is published.
func (p *Platform) wakeOnData() *audit.Consumer {
	return &audit.Consumer{Name: "triggers", Feed: p.Log, Table: p.table, Clock: ids.WallClock, Changed: p.Log.Changed,
		Handle: func(ctx context.Context, e audit.Event) error {
			if e.Type != "DatasetVersionPublished" {
				return nil
			}
			return p.Training.Sweep(ctx)
		}}
}

// sweep drives what is due and what was interrupted.
func (p *Platform) sweep(ctx context.Context) error {
	t := tasks.Training{Dataset: p.Dataset, Training: p.Training, Rollout: p.Rollout, Trail: p.trail()}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := t.Sweep(ctx, tasks.Empty{}); err != nil && ctx.Err() == nil {
			p.Logger.Error("sweep", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// trail is the audit log with its head anchored outside the database.
func (p *Platform) trail() audit.Anchored { return audit.Anchored{Log: p.Log, Objects: p.Objects} }

// forget removes rows that have expired; they are invisible already.
func (p *Platform) forget(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if _, err := p.db.Sweep(ctx, ids.WallClock()); err != nil && ctx.Err() == nil {
			p.Logger.Error("remove expired rows", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// JobStarted is when a training job's process started.
func (p *Platform) JobStarted(ctx context.Context, job string) (time.Time, error) {
	out, err := p.sagemaker.DescribeTrainingJob(ctx, &awssagemaker.DescribeTrainingJobInput{TrainingJobName: &job})
	if err != nil || out.TrainingStartTime == nil {
		return time.Time{}, err
	}
	return *out.TrainingStartTime, nil
}
