package local

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"

	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/httpapi/gateway"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/local/files"
)

// wireAPI makes the HTTP handler for everything.
func (p *Platform) wireAPI() (http.Handler, error) {
	clock, newID := ids.Clock(ids.WallClock), ids.ULIDs(ids.WallClock)
	signer, err := p.signer()
	if err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Deps{
		Sessions: p.Identity, Users: p.Identity, Passwords: p.Identity, Keys: p.Identity,
		Datasets: p.Dataset, DatasetVersions: p.Dataset, DatasetContents: p.Dataset, Arrivals: p.Dataset, Ingestions: p.Dataset,
		Rejects: p.Dataset.OpenRejects, Benchmarks: p.Catalog,
		Models: p.Registry, ModelVersions: p.Registry, Import: p.Import, Triggers: p.Training, GatePolicies: p.Training, Anchors: p.Registry, Lineage: lineage.Graph{Table: p.table},
		Runs: p.Training, RunActions: p.Training, Steps: p.steps, Logs: p.sagemaker.Logs, Metrics: p.metrics, Reports: p.Training.Report,
		Environments: p.Rollout, SetupEnvironments: p.Rollout.Setup, Releases: p.Rollout, Approvals: p.Rollout, Rollbacks: p.Rollout, Holds: p.Rollout,
		Traffic: p.Monitor, Events: p.Log, Trail: p.trail(), DeadLetters: p.triggers, Objects: p.Objects, Signer: signer, Signed: signer, Table: p.table, Clock: clock, IDs: newID, Logger: p.Logger,
		Place: httpapi.Place{Mode: "local", Realtime: "sse", Version: p.Version}, Web: p.Web, Stopping: p.stopping,
		Gateway: gateway.New(gateway.Deps{Authorize: httpapi.MayInvoke(p.Identity), Registry: p.Registry, Rollout: p.Rollout, Monitor: p.Monitor,
			Invoker: p, Clock: clock, IDs: newID, Logger: p.Logger}),
	})
}

// signer gives and serves addresses for parts of uploads. They die with the process, and clients ask anew.
func (p *Platform) signer() (*files.Signer, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("secret of signed addresses: %w", err)
	}
	return &files.Signer{Store: p.Objects, Base: httpapi.SignedPath, Secret: secret, Clock: ids.WallClock}, nil
}

// metrics gives a job's curves in the API's form.
func (p *Platform) metrics(ctx context.Context, job string) ([]httpapi.MetricPoint, error) {
	points, err := p.sagemaker.Metrics(ctx, job)
	out := make([]httpapi.MetricPoint, len(points))
	for i, pt := range points {
		out[i] = httpapi.MetricPoint{Step: pt.Step, Time: pt.Time, Values: pt.Values}
	}
	return out, err
}
