package host

import (
	"context"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/aws/states"
	"github.com/perennial-llm/perennial/pkg/config"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/httpapi/gateway"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/tasks"
)

const (
	// partBytes is the size of upload parts. They go to S3 directly, which wants 5 MiB to 5 GiB: Lambda
	// takes 6 MB in one request, of which base64 takes a third.
	partBytes = 16 << 20
	// digestBytes is what the API can read again within its 29 seconds, with time to spare.
	digestBytes = 1 << 30
)

// ServeAPI serves the HTTP API behind API Gateway; it does not return.
func ServeAPI() {
	serve(func(p *Platform) (lambda.Handler, error) {
		h, err := p.API()
		return Proxy(h), err
	})
}

// Proxy makes a Lambda handler of an HTTP handler, for payload format 1.0.
func Proxy(h http.Handler) lambda.Handler {
	return lambda.NewHandler(httpadapter.New(viewer(h)).ProxyWithContext)
}

// viewer makes the address of a request that of who asked CloudFront: API Gateway sees CloudFront's own, and
// too many wrong passwords from there would keep everybody out. Who goes around CloudFront can make one up,
// which saves them nothing: wrong passwords are counted by login too, here and by Cognito.
func viewer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops := strings.Split(r.Header.Get("X-Forwarded-For"), ",") // … viewer, CloudFront
		if n := len(hops); n > 1 {
			r.RemoteAddr = strings.TrimSpace(hops[n-2])
		}
		next.ServeHTTP(w, r)
	})
}

// API makes the HTTP handler for everything below /v1 and /gateway.
func (p *Platform) API() (http.Handler, error) {
	if p.Directory == nil {
		return nil, errs.New(errs.Invalid, "nobody could sign in").At(config.UserPool).Mend("deploy the api stack again")
	}
	clock, newID := ids.Clock(ids.WallClock), ids.ULIDs(ids.WallClock)
	return httpapi.New(httpapi.Deps{
		Sessions: p.Identity, Users: p.Identity, Passwords: p.Identity, Keys: p.Identity,
		Datasets: p.Dataset, DatasetVersions: p.Dataset, DatasetContents: p.Dataset, Arrivals: p.Dataset, Ingestions: p.Dataset,
		Rejects: p.Dataset.OpenRejects, Benchmarks: p.Catalog,
		Models: p.Registry, ModelVersions: p.Registry, Import: p.Training.Import, Triggers: p.Training, GatePolicies: p.Training, Anchors: p.Registry, Lineage: lineage.Graph{Table: p.Table},
		Runs: p.Training, RunActions: p.Training, Steps: p.steps, Logs: p.Jobs.Logs, Metrics: p.metrics, Reports: p.Training.Report,
		Environments: p.Rollout, SetupEnvironments: p.Rollout.Setup, Releases: p.Rollout, Approvals: p.Rollout, Rollbacks: p.Rollout, Holds: p.Rollout,
		Traffic: p.Monitor, Events: p.Log, Trail: p.trail(), DeadLetters: p.arrivals(), Objects: p.Objects, Signer: p.Signer, Table: p.Table, Clock: clock, IDs: newID, Logger: p.Logger,
		Place: httpapi.Place{Mode: "aws", Realtime: "poll", Version: p.Config.Version, PartBytes: partBytes, DigestBytes: digestBytes},
		Gateway: gateway.New(gateway.Deps{Authorize: httpapi.MayInvoke(p.Identity), Registry: p.Registry, Rollout: p.Rollout, Monitor: p.Monitor,
			Invoker: p.Endpoints, Clock: clock, IDs: newID, Logger: p.Logger}),
	})
}

// trail is the audit log with its head anchored outside the table.
func (p *Platform) trail() audit.Anchored { return audit.Anchored{Log: p.Log, Objects: p.Objects} }

func (p *Platform) steps(ctx context.Context, execution string) ([]httpapi.Step, error) {
	list, err := p.Workflow.Steps(ctx, execution)
	return said(list), err
}

// said gives steps as the API shows them: why one failed in words, as on one machine.
func said(list []states.Step) []httpapi.Step {
	out := make([]httpapi.Step, len(list))
	for i, s := range list {
		out[i] = httpapi.Step{Name: s.Name, Status: s.Status, Started: s.Started, Ended: s.Ended, Error: tasks.Failed(s.Error, s.Cause)}
	}
	return out
}

func (p *Platform) metrics(ctx context.Context, job string) ([]httpapi.MetricPoint, error) {
	list, err := p.Jobs.Metrics(ctx, job)
	out := make([]httpapi.MetricPoint, len(list))
	for i, pt := range list {
		out[i] = httpapi.MetricPoint{Step: pt.Step, Time: pt.Time, Values: pt.Values}
	}
	return out, err
}
