package httpapi

import (
	"context"
	"io"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// Sessions tells who makes a request. *identity.Service is one.
type Sessions interface {
	SignIn(ctx context.Context, login, password string) (identity.Session, error)
	SignOut(ctx context.Context, token string) error
	// Authenticate takes the token of a session or a key.
	Authenticate(ctx context.Context, token string) (identity.Principal, error)
}

// Users keeps accounts. *identity.Service is one.
type Users interface {
	Users(ctx context.Context, cursor string, limit int) ([]identity.User, string, error)
	CreateUser(ctx context.Context, p identity.Principal, n identity.NewUser) (identity.User, string, error)
	SetRoles(ctx context.Context, p identity.Principal, id string, roles []identity.Role, reason string) (identity.User, error)
	Disable(ctx context.Context, p identity.Principal, id string, disabled bool, reason string) (identity.User, error)
}

// Passwords changes them. *identity.Service is one.
type Passwords interface {
	ChangePassword(ctx context.Context, p identity.Principal, old, next string) (identity.Session, error)
	ResetPassword(ctx context.Context, p identity.Principal, id, reason string) (string, error)
}

// Keys keeps service keys. *identity.Service is one.
type Keys interface {
	Keys(ctx context.Context, cursor string, limit int) ([]identity.Key, string, error)
	CreateKey(ctx context.Context, p identity.Principal, n identity.NewKey) (identity.Key, string, error)
	RevokeKey(ctx context.Context, p identity.Principal, id, reason string) error
}

// Datasets keeps datasets. *dataset.Service is one.
type Datasets interface {
	Datasets(ctx context.Context) ([]dataset.Dataset, error)
	Dataset(ctx context.Context, id string) (dataset.Dataset, error)
	CreateDataset(ctx context.Context, by audit.Actor, d dataset.Dataset) (dataset.Dataset, error)
}

// DatasetVersions reads and retracts versions. *dataset.Service is one.
type DatasetVersions interface {
	Versions(ctx context.Context, dataset string, limit int, cursor string) ([]dataset.Version, string, error)
	Version(ctx context.Context, dataset string, n int) (dataset.Version, error)
	Retract(ctx context.Context, by audit.Actor, dataset string, n int, reason string) (dataset.Version, error)
}

// DatasetContents looks into versions. *dataset.Service is one.
type DatasetContents interface {
	Diff(ctx context.Context, dataset string, base, other int) (dataset.Diff, error)
	Sample(ctx context.Context, dataset string, number, n int, seed uint64) ([]dataset.Row, error)
}

// Arrivals makes ingestions. *dataset.Service is one.
type Arrivals interface {
	Arrive(ctx context.Context, by audit.Actor, dataset, key string, size int64, version string) (dataset.Ingestion, error)
	Resubmit(ctx context.Context, by audit.Actor, id, key string, size int64, version string) (dataset.Ingestion, error)
	Retry(ctx context.Context, by audit.Actor, id string) (dataset.Ingestion, error)
}

// Ingestions follows and decides them. *dataset.Service is one.
type Ingestions interface {
	Ingestions(ctx context.Context, f dataset.Filter) ([]dataset.Ingestion, string, error)
	Ingestion(ctx context.Context, id string) (dataset.Ingestion, error)
	PublishValid(ctx context.Context, by audit.Actor, id, reason string) (dataset.Ingestion, error)
	Discard(ctx context.Context, by audit.Actor, id, reason string) (dataset.Ingestion, error)
}

// Rejects opens the quarantine file of an ingestion and gives its name. dataset.Service.OpenRejects is one.
type Rejects func(ctx context.Context, id string) (file io.ReadCloser, name string, err error)

// Benchmarks keeps test suites; an edited one gets a new lock under the same name.
type Benchmarks interface {
	Benchmarks(ctx context.Context) ([]benchmark.Header, error)
	Benchmark(ctx context.Context, name string) (benchmark.Version, error)
	AddBenchmark(ctx context.Context, by audit.Actor, v benchmark.Version) (benchmark.Header, error)
}

// Models keeps models. *registry.Service is one.
type Models interface {
	Models(ctx context.Context) ([]registry.Model, error)
	Model(ctx context.Context, id string) (registry.Model, error)
	CreateModel(ctx context.Context, by audit.Actor, m registry.Model) (registry.Model, error)
	UpdateModel(ctx context.Context, by audit.Actor, m registry.Model) (registry.Model, error)
}

// ModelVersions keeps versions and aliases. *registry.Service is one.
type ModelVersions interface {
	Versions(ctx context.Context, model string) ([]registry.Version, error)
	Version(ctx context.Context, model string, n int) (registry.Version, error)
	SetAlias(ctx context.Context, by audit.Actor, model, alias string, n int, reason string) error
}

// GatePolicies says what candidates are judged by. *training.Service is one.
type GatePolicies interface {
	GatePolicy(ctx context.Context, model string) (training.PolicyVersion, error)
	Policies(ctx context.Context, model string) ([]training.PolicyVersion, error)
	// SetPolicy follows the version that number names.
	SetPolicy(ctx context.Context, by audit.Actor, model string, number int, policy []byte, reason string) (training.PolicyVersion, error)
}

// Anchors pins the version that candidates are compared with. *registry.Service is one.
type Anchors interface {
	SetAnchor(ctx context.Context, by audit.Actor, model string, rev int64, version int, reason string) (registry.Model, error)
}

// Runs reads training runs. *training.Service is one.
type Runs interface {
	Runs(ctx context.Context, f training.RunFilter) ([]training.Run, string, error)
	Run(ctx context.Context, id string) (training.Run, error)
}

// RunActions starts and stops runs. *training.Service is one.
type RunActions interface {
	Start(ctx context.Context, by audit.Actor, in training.StartInput) (training.Run, error)
	Cancel(ctx context.Context, by audit.Actor, id, reason string) (training.Run, error)
	Retry(ctx context.Context, by audit.Actor, id string) (training.Run, error)
}

// Import registers a model folder as a version. training.Service.Import is one.
type Import func(ctx context.Context, by audit.Actor, in training.ImportInput) (registry.Version, error)

// Reports opens a stored gate report as "json" or "html". training.Service.Report is one.
type Reports func(ctx context.Context, digest, ext string) (io.ReadCloser, error)

// Triggers says when training starts by itself. *training.Service is one.
type Triggers interface {
	Trigger(ctx context.Context, model string) (training.Trigger, error)
	SetTrigger(ctx context.Context, by audit.Actor, t training.Trigger) (training.Trigger, error)
}

// Step is one state of a run's workflow as people see it.
type Step struct {
	Name    string    `json:"name"`
	Status  string    `json:"status"` // Pending, Running, Waiting, Succeeded, Failed
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Detail  string    `json:"detail,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// Steps gives the steps of an execution in order.
type Steps func(ctx context.Context, execution string) ([]Step, error)

// Logs is a page of a job's log: lines from number after on, and the number of the next one. done tells
// that the job has ended and nothing follows.
type Logs func(ctx context.Context, job string, after int64) (lines []string, next int64, done bool, err error)

// MetricPoint is what a job measured at one step.
type MetricPoint struct {
	Step   int64              `json:"step"`
	Time   time.Time          `json:"time"`
	Values map[string]float64 `json:"values"`
}

// Metrics gives a job's curves; at most a few thousand points.
type Metrics func(ctx context.Context, job string) ([]MetricPoint, error)

// Environments is where models serve. *rollout.Service is one.
type Environments interface {
	Environments(ctx context.Context, model string) ([]rollout.Environment, error)
	Environment(ctx context.Context, model, name string) (rollout.Environment, error)
	SetStrategy(ctx context.Context, by audit.Actor, model, name string, st rollout.Strategy, rev int64) (rollout.Environment, error)
}

// SetupEnvironments makes a new model's environments. rollout.Service.Setup is one.
type SetupEnvironments func(ctx context.Context, by audit.Actor, model string) error

// Releases brings versions through environments. *rollout.Service is one.
type Releases interface {
	Request(ctx context.Context, by audit.Actor, in rollout.RequestInput) (rollout.Release, error)
	Releases(ctx context.Context, model string, limit int, cursor string) ([]rollout.Release, string, error)
	Release(ctx context.Context, id string) (rollout.Release, error)
	Abort(ctx context.Context, by audit.Actor, id, reason string) (rollout.Release, error)
}

// Approvals asks people. *rollout.Service is one.
type Approvals interface {
	Approvals(ctx context.Context, status string) ([]rollout.Approval, error)
	Approval(ctx context.Context, id string) (rollout.Approval, error)
	Decide(ctx context.Context, by audit.Actor, id string, in rollout.DecideInput) (rollout.Approval, error)
}

// Rollbacks goes back. *rollout.Service is one.
type Rollbacks interface {
	Rollback(ctx context.Context, by audit.Actor, in rollout.RollbackInput) (rollout.Rollback, error)
	Rollbacks(ctx context.Context, model, env string) ([]rollout.Rollback, error)
	RollbackByID(ctx context.Context, id string) (rollout.Rollback, error)
}

// Holds keeps versions out. *rollout.Service is one.
type Holds interface {
	Holds(ctx context.Context, model, env string) ([]rollout.Hold, error)
	AddHold(ctx context.Context, by audit.Actor, model, env string, version int, reason string) (rollout.Hold, error)
	ReleaseHold(ctx context.Context, by audit.Actor, model, env, id, reason string) (rollout.Hold, error)
}

// Traffic reads what live versions did. *monitor.Service is one.
type Traffic interface {
	Series(ctx context.Context, model, env string, digests []string, minutes int) ([]monitor.Point, error)
	Captures(ctx context.Context, model, env string, limit int) ([]monitor.Capture, error)
}

// Events is the feed with its wake-up. *audit.Log is one.
type Events interface {
	audit.Feed
	Head(ctx context.Context) (audit.Head, error)
	Changed() <-chan struct{}
}

// DeadLetters keeps the events that the platform could not act on. *audit.Consumer is one.
type DeadLetters interface {
	Dead(ctx context.Context, cursor string, limit int) ([]audit.DeadLetter, string, error)
	Replay(ctx context.Context, seq int64) error
}

// Trail reads and checks the audit log. *audit.Log is one.
type Trail interface {
	Entries(ctx context.Context, seq int64, limit int) ([]audit.Entry, error)
	Latest(ctx context.Context, cursor string, limit int) ([]audit.Entry, string, error)
	History(ctx context.Context, s audit.Subject, cursor string, limit int) ([]audit.Entry, string, error)
	Verify(ctx context.Context, anchor *audit.Head) (audit.Report, error)
}

// Lineage walks the graph of what came from what. lineage.Graph is one.
type Lineage interface {
	Walk(ctx context.Context, root lineage.Node, dir lineage.Direction, depth int) (lineage.Subgraph, error)
}

// Objects takes uploaded files, whole or in parts. *files.Store is one.
type Objects interface {
	Put(ctx context.Context, key string, r io.Reader, opt object.PutOptions) (object.Info, error)
	Get(ctx context.Context, key string, offset int64) (io.ReadCloser, object.Info, error)
	Delete(ctx context.Context, key string) error
	object.Uploads
	object.PartLister
}
