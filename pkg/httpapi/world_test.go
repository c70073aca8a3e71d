package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/table"
	"github.com/perennial-llm/perennial/pkg/training"
)

const password = "correct horse battery"

// people and their roles; "newcomer" still has the one-time password.
var people = map[string][]identity.Role{
	"vic":  {identity.Viewer},
	"dan":  {identity.DataEngineer},
	"mel":  {identity.MLEngineer},
	"ben":  {identity.Approver},
	"root": {identity.Admin},
	"ana":  {identity.MLEngineer, identity.DataEngineer},
}

// world is the API over the real core; only machines, jobs and endpoints are missing.
type world struct {
	t        testing.TB
	ctx      context.Context
	clock    *porttest.Clock
	deps     httpapi.Deps
	server   *httptest.Server
	logs     *safeBuffer
	events   *audit.Log
	identity *identity.Service
	dataset  *dataset.Service
	registry *registry.Service
	training *training.Service
	rollout  *rollout.Service
	monitor  *monitor.Service
	objects  *files.Store
	signer   *files.Signer
	root     identity.Principal
	sessions map[string]string
	started  []string
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// plain keeps passwords as they are: hashing slowly is not what is tested here.
type plain struct{}

func (plain) Hash(pw string) (string, error) { return "plain:" + pw, nil }
func (plain) Verify(hash, pw string) bool    { return hash == "plain:"+pw }

// Start, Stop and Answer make world the workflow of the core.
func (w *world) Start(_ context.Context, machine, name string, _ any) (string, error) {
	w.started = append(w.started, machine+"/"+name)
	return "arn:" + machine + ":" + name, nil
}
func (w *world) Stop(context.Context, string, string) error { return nil }
func (w *world) Answer(context.Context, string, any) error  { return nil }

// Ask answers like a healthy model.
func (w *world) Ask(_ context.Context, endpoint, prompt string) (rollout.Answer, error) {
	return rollout.Answer{Text: "answer to " + prompt, Digest: digest(endpoint[len(endpoint)-1:])}, nil
}

func digest(hex string) string { return "sha256:" + strings.Repeat(hex, 64) }

func newWorld(t testing.TB, changes ...func(*httpapi.Deps)) *world {
	w := &world{t: t, ctx: t.Context(), clock: porttest.NewClock(), logs: &safeBuffer{}, sessions: map[string]string{}}
	tab := porttest.NewMemory(w.clock.Now)
	w.wireCore(tab)
	w.wireAPI(tab, changes)
	w.settle()
	return w
}

func (w *world) wireCore(tab table.Table) {
	clock, newID, logger := ids.Clock(w.clock.Now), ids.Sequence(), slog.New(slog.DiscardHandler)
	var err error
	w.objects, err = files.Open(w.t.TempDir())
	require.NoError(w.t, err)
	w.signer = &files.Signer{Store: w.objects, Base: httpapi.SignedPath, Secret: bytes.Repeat([]byte("s"), 32), Clock: clock}
	w.events = audit.NewLog(tab, clock, newID)
	catalog := &benchmark.Catalog{Table: tab, Log: w.events, Objects: w.objects, Clock: clock}
	w.identity = identity.NewService(identity.Options{Table: tab, Log: w.events, Clock: clock, NewID: newID, Hasher: plain{}})
	w.dataset = dataset.New(dataset.Deps{Table: tab, Log: w.events, Objects: w.objects, Clock: clock, IDs: newID})
	w.registry = registry.New(registry.Deps{Table: tab, Log: w.events, Clock: clock})
	w.monitor = monitor.New(monitor.Deps{Table: tab, Clock: clock, Mask: func(s string) string { return s }})
	w.training = training.New(training.Deps{Table: tab, Log: w.events, Objects: w.objects, Registry: w.registry, Datasets: w.dataset,
		Catalog: catalog, Policy: gate.OneMachinePolicy(), Workflow: w, Clock: clock, IDs: newID, Logger: logger,
		Places: training.Places{Bucket: "b", Code: "s3://b/code"}})
	w.rollout = rollout.New(rollout.Deps{Table: tab, Log: w.events, Registry: w.registry, Monitor: w.monitor, Workflow: w, Asker: w,
		Clock: clock, IDs: newID, Logger: logger})
	w.deps = httpapi.Deps{Benchmarks: catalog}
}

func (w *world) wireAPI(tab table.Table, changes []func(*httpapi.Deps)) {
	w.deps = httpapi.Deps{
		Sessions: w.identity, Users: w.identity, Passwords: w.identity, Keys: w.identity,
		Datasets: w.dataset, DatasetVersions: w.dataset, DatasetContents: w.dataset, Arrivals: w.dataset, Ingestions: w.dataset,
		Rejects: w.dataset.OpenRejects, Benchmarks: w.deps.Benchmarks,
		Models: w.registry, ModelVersions: w.registry, Import: w.training.Import, Triggers: w.training, GatePolicies: w.training, Anchors: w.registry, Lineage: lineage.Graph{Table: tab},
		Runs: w.training, RunActions: w.training, Steps: w.steps, Logs: w.jobLogs, Metrics: w.metrics, Reports: w.training.Report,
		Environments: w.rollout, SetupEnvironments: w.rollout.Setup, Releases: w.rollout, Approvals: w.rollout, Rollbacks: w.rollout,
		Holds: w.rollout, Traffic: w.monitor, Events: w.events, Trail: w.events, Objects: w.objects, Signer: w.signer, Signed: w.signer, Table: tab,
		Clock: w.clock.Now, IDs: ids.Sequence(), Logger: slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Place: httpapi.Place{Mode: "local", Realtime: "sse", Version: "test", PartBytes: 5 << 20},
	}
	for _, change := range changes {
		change(&w.deps)
	}
	h, err := httpapi.New(w.deps)
	require.NoError(w.t, err)
	w.server = httptest.NewServer(h)
	w.t.Cleanup(w.server.Close)
}

func (w *world) steps(_ context.Context, execution string) ([]httpapi.Step, error) {
	return []httpapi.Step{{Name: "Train", Status: "Running", Started: w.clock.Now(), Detail: execution}}, nil
}

func (w *world) jobLogs(_ context.Context, job string, after int64) ([]string, int64, bool, error) {
	return []string{"line of " + job}, after + 1, false, nil
}

func (w *world) metrics(context.Context, string) ([]httpapi.MetricPoint, error) {
	return []httpapi.MetricPoint{{Step: 1, Time: w.clock.Now(), Values: map[string]float64{"loss": 2.5}}}, nil
}

// settle makes the accounts and signs everybody in.
func (w *world) settle() {
	w.root = identity.System("test")
	for name, roles := range people {
		_, _, err := w.identity.CreateUser(w.ctx, w.root, identity.NewUser{Login: name, Password: password, Roles: roles})
		require.NoError(w.t, err)
		w.signIn(name, password)
	}
	_, once, err := w.identity.CreateUser(w.ctx, w.root, identity.NewUser{Login: "newcomer", Roles: []identity.Role{identity.Admin}})
	require.NoError(w.t, err)
	w.signIn("newcomer", once)
}

func (w *world) signIn(name, pw string) {
	s, err := w.identity.SignIn(w.ctx, name, pw)
	require.NoError(w.t, err)
	w.sessions[name] = s.Token
}

// answer is what came back.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) problem(t testing.TB) oas.Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), "%s", a.body)
	var p oas.Problem
	require.NoError(t, p.UnmarshalJSON(a.body), "%s", a.body)
	require.Equal(t, a.StatusCode, p.Status)
	require.NotEmpty(t, p.RequestId)
	require.Equal(t, a.Header.Get("X-Request-Id"), p.RequestId)
	return p
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	require.Less(t, a.StatusCode, 300, "%s", a.body)
	require.NoError(t, json.Unmarshal(a.body, v), "%s", a.body)
}

// call sends a request as somebody; headers come in pairs and an empty value removes one.
func (w *world) call(who, method, path, body string, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.ctx, method, w.server.URL+path, strings.NewReader(body))
	require.NoError(w.t, err)
	req.Header.Set("X-Requested-With", "perennial")
	req.Header.Set("Content-Type", "application/json")
	if who != "" {
		req.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: w.sessions[who]})
	}
	for i := 0; i+1 < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	resp, err := w.server.Client().Do(req)
	require.NoError(w.t, err)
	defer resp.Body.Close() //nolint:errcheck // read only
	all, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	return answer{resp, all}
}

// typed gives the generated client of somebody: it refuses answers that the spec does not allow.
func (w *world) typed(who string) *oas.Client {
	w.t.Helper()
	c, err := oas.NewClient(w.server.URL, bearer(w.sessions[who]))
	require.NoError(w.t, err)
	return c
}

// bearer sends a token in the Authorization header; the API takes sessions there too.
type bearer string

func (b bearer) BearerKey(context.Context, oas.OperationName) (oas.BearerKey, error) {
	return oas.BearerKey{Token: string(b)}, nil
}

func (bearer) SessionCookie(context.Context, oas.OperationName) (oas.SessionCookie, error) {
	return oas.SessionCookie{APIKey: "unused"}, nil
}

// upload adds a file to a dataset and drives its ingestion as ingest-data does.
func (w *world) upload(who, name, body string) oas.Ingestion {
	w.t.Helper()
	a := w.call(who, "POST", "/v1/datasets/tickets/uploads?name="+name, body, "Content-Type", "application/octet-stream")
	require.Equal(w.t, 202, a.StatusCode, "%s", a.body)
	var ing oas.Ingestion
	require.NoError(w.t, ing.UnmarshalJSON(a.body))
	require.Equal(w.t, "/v1/ingestions/"+ing.ID, a.Header.Get("Location"))
	out, err := w.dataset.Check(w.ctx, ing.ID)
	require.NoError(w.t, err)
	if out.Status == dataset.Publishing {
		_, err = w.dataset.Publish(w.ctx, ing.ID)
		require.NoError(w.t, err)
	}
	return ing
}

func rowsOf(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `{"prompt":"What does plan %d cost?","completion":"Plan %d costs %d euros."}`+"\n", i, i, i*7)
	}
	return b.String()
}

// model makes a dataset with data and a model whose version 1 is champion.
func (w *world) model() {
	w.t.Helper()
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`).into(w.t, &struct{}{})
	w.upload("dan", "a.jsonl", rowsOf(0, 40))
	w.call("mel", "POST", "/v1/models", `{"id":"support","name":"Support model","dataset":"tickets","canned":[{"prompt":"hi","contains":"answer"}]}`).into(w.t, &struct{}{})
	w.version("1", "PASS")
	require.NoError(w.t, w.registry.SetAlias(w.ctx, w.root.Actor, "support", registry.Champion, 1, "base"))
}

// version registers the next version, judged.
func (w *world) version(hex, verdict string) registry.Version {
	w.t.Helper()
	v, err := w.registry.Register(w.ctx, w.root.Actor, "v"+hex, registry.Version{Model: "support", Digest: digest(hex), Origin: registry.Trained,
		Run: "run_" + hex, Artifact: "m/" + hex + "/", Metrics: map[string]float64{"loss": 1}})
	require.NoError(w.t, err)
	require.NoError(w.t, w.registry.Judge(w.ctx, w.root.Actor, "support", v.Number, func(v *registry.Version) {
		v.Verdict, v.Report, v.Policy = verdict, digest("e"), digest("f")
	}))
	return v
}
