package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local"
	"github.com/perennial-llm/perennial/pkg/local/cli"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// The test binary is also the platform's process, so that a test can kill it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PERENNIAL_TEST_PLATFORM"); dir != "" {
		os.Exit(serve(dir, os.Getenv("PERENNIAL_TEST_ADDR")))
	}
	os.Exit(m.Run())
}

func serve(dir, addr string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", addr)
	if err == nil {
		var p *local.Platform
		p, err = local.Open(ctx, local.Options{Data: dir, Code: os.Getenv("PERENNIAL_TEST_CODE"), Python: os.Getenv("PERENNIAL_TEST_PYTHON"),
			Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Version: "test"})
		if err == nil {
			if p.Password != "" {
				err = os.WriteFile(filepath.Join(dir, "password"), []byte(p.Password), 0o600)
			}
			if err == nil {
				err = p.Serve(ctx, l)
			}
		}
	}
	fmt.Fprintln(os.Stderr, "platform:", err)
	return 1
}

const secret = "a long password"

// platform is a running platform in a process of its own, over stand-in containers.
type platform struct {
	t      *testing.T
	ctx    context.Context
	dir    string
	addr   string
	cmd    *exec.Cmd
	stderr bytes.Buffer
	users  map[string]*cli.Client
	letGo  string // file whose presence lets training jobs end
	log    string // one line for each training that ran to its end
}

func startPlatform(t *testing.T) *platform {
	t.Helper()
	p := launch(t)
	p.setUp()
	return p
}

// launch starts a platform on an empty folder.
func launch(t *testing.T) *platform {
	dir := t.TempDir()
	p := &platform{t: t, ctx: t.Context(), dir: dir, addr: freeAddress(t), users: map[string]*cli.Client{},
		letGo: filepath.Join(dir, "let-go"), log: filepath.Join(dir, "trainings")}
	t.Cleanup(func() {
		p.kill()
		p.clear()
		if t.Failed() {
			t.Log(p.stderr.String())
		}
	})
	p.start()
	return p
}

// freeAddress gives one that stays free while the platform is down: no connection of anybody's takes its local port
// from below 32768.
func freeAddress(t *testing.T) string {
	for {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000)))
		if err == nil {
			require.NoError(t, l.Close())
			return l.Addr().String()
		}
	}
}

// start brings the process up and waits until it answers.
func (p *platform) start() {
	code, err := filepath.Abs("testdata/containers")
	require.NoError(p.t, err)
	python, err := exec.LookPath("python3")
	require.NoError(p.t, err, "install Python 3")
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), "PERENNIAL_TEST_PLATFORM="+filepath.Join(p.dir, "data"), "PERENNIAL_TEST_ADDR="+p.addr,
		"PERENNIAL_TEST_CODE="+code, "PERENNIAL_TEST_PYTHON="+python)
	p.cmd.Stderr = &p.stderr
	require.NoError(p.t, p.cmd.Start())
	p.until("the platform answers", func() bool {
		resp, err := http.Get("http://" + p.addr + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// kill ends the process as a power cut would.
func (p *platform) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_, _ = p.cmd.Process.Wait()
		p.cmd = nil
	}
}

// clear removes the folder. What the platform started outlives its kill for a moment and may write meanwhile.
func (p *platform) clear() {
	for deadline := time.Now().Add(10 * time.Second); os.RemoveAll(p.dir) != nil && time.Now().Before(deadline); {
		time.Sleep(30 * time.Millisecond)
	}
}

func (p *platform) restart() {
	p.kill()
	p.start()
}

// until waits for something that the platform does by itself.
func (p *platform) until(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	defer func(began time.Time) { p.t.Logf("%5.1f s until %s", time.Since(began).Seconds(), what) }(time.Now())
	for !ok() {
		if time.Now().After(deadline) {
			p.t.Fatalf("did not happen: %s", what)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

func (p *platform) as(name string) *cli.Client { return p.users[name] }

func (p *platform) get(path string, out any) { require.NoError(p.t, p.as("ana").Get(p.ctx, path, out)) }

func (p *platform) post(who, path string, in, out any) {
	p.t.Helper()
	require.NoError(p.t, p.as(who).Post(p.ctx, path, in, out))
}

// setUp makes users, data, a benchmark, a model and its base, live everywhere.
func (p *platform) setUp() {
	once, err := os.ReadFile(filepath.Join(p.dir, "data", "password"))
	require.NoError(p.t, err)
	admin := &cli.Client{URL: "http://" + p.addr}
	require.NoError(p.t, admin.SignIn(p.ctx, "admin", string(once)))
	require.NoError(p.t, admin.Put(p.ctx, "/v1/me/password", 0, map[string]string{"current": string(once), "new": secret}, nil))
	require.NoError(p.t, admin.SignIn(p.ctx, "admin", secret))
	p.users["admin"] = admin
	for name, roles := range map[string][]string{"ana": {"ml-engineer", "data-engineer"}, "ben": {"approver"}, "eve": {"approver"}} {
		p.post("admin", "/v1/users", map[string]any{"login": name, "name": name, "roles": roles, "password": secret}, nil)
		p.users[name] = &cli.Client{URL: admin.URL}
		require.NoError(p.t, p.users[name].SignIn(p.ctx, name, secret))
	}
	p.post("ana", "/v1/datasets", map[string]string{"id": "tickets"}, nil)
	p.arrive("base", 20)
	p.makeModel()
}

func (p *platform) makeModel() {
	items := []map[string]any{}
	for i := range 240 {
		items = append(items, map[string]any{"id": fmt.Sprintf("i%03d", i), "input": fmt.Sprintf("benchmark question number %d?", i), "target": "answer", "capability": "general"})
	}
	p.post("ana", "/v1/benchmarks", map[string]any{"benchmark": "general", "scorer": map[string]any{"kind": "contains"}, "items": items}, nil)
	canned := []registry.Canned{{Prompt: "ready?", Contains: "answer"}}
	p.post("ana", "/v1/models", map[string]any{"id": "support", "dataset": "tickets", "benchmarks": []string{"general"}, "canned": canned}, nil)
	p.importBase()
	p.steps("production", []int{100}, 0)
	rel := p.request(1)
	p.approve(rel)
	p.ended(rel)
}

// steps sets how traffic moves in an environment.
func (p *platform) steps(env string, steps []int, minRequests int) {
	var e rollout.Environment
	path := "/v1/models/support/environments/" + env
	p.get(path, &e)
	e.Strategy.Steps, e.Strategy.MinRequests, e.Strategy.Interval, e.Strategy.MaxHold = steps, minRequests, 1, 1000
	require.NoError(p.t, p.as("ana").Put(p.ctx, path+"/strategy", e.Rev, e.Strategy, nil))
}

// folder makes a model folder with the stand-ins' own code.
func (p *platform) folder(content string) string {
	script := `import os, pathlib, sys; sys.path.insert(0, sys.argv[1]); os.environ["PERENNIAL_ML_ROOT"] = "/nowhere"
import container as c
out = pathlib.Path(sys.argv[2]); out.mkdir(parents=True)
(out / "config.json").write_text("{}"); (out / "model.safetensors").write_text(out.name); c.write_manifest(out, "")`
	code, err := filepath.Abs("testdata/containers")
	require.NoError(p.t, err)
	path := filepath.Join(p.dir, content)
	out, err := exec.Command("python3", "-c", script, code, path).CombinedOutput()
	require.NoError(p.t, err, string(out))
	return path
}

// importBase registers a model folder as version 1.
func (p *platform) importBase() {
	var v registry.Version
	var data struct{ Digest string }
	p.get("/v1/datasets/tickets/versions/1", &data)
	p.post("ana", "/v1/models/support/versions", map[string]any{"artifact": p.folder("base") + "/", "reason": "base",
		"datasets": []registry.DatasetRef{{Dataset: "tickets", Number: 1, Digest: data.Digest}}}, &v)
	require.Equal(p.t, 1, v.Number)
}

// arrive uploads a file of rows and waits until they are a dataset version.
func (p *platform) arrive(name string, rows int) cli.Ingestion {
	in, err := p.as("ana").Upload(p.ctx, "tickets", p.file(name, rows))
	require.NoError(p.t, err)
	in, err = p.as("ana").Settle(p.ctx, in.ID, func(cli.Ingestion) {})
	require.NoError(p.t, err)
	require.EqualValues(p.t, "Published", in.Status, in.Error)
	return in
}

func (p *platform) file(name string, rows int) string {
	var b strings.Builder
	for i := range rows {
		fmt.Fprintf(&b, `{"prompt":"%s question %d?","completion":"%s fact %d"}`+"\n", name, i, name, i)
	}
	path := filepath.Join(p.dir, name+".jsonl")
	require.NoError(p.t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

func (p *platform) request(version int) rollout.Release {
	var rel rollout.Release
	p.post("ana", "/v1/releases", map[string]any{"model": "support", "version": version, "reason": "test"}, &rel)
	return rel
}

func (p *platform) approve(rel rollout.Release) {
	var a rollout.Approval
	p.get("/v1/approvals/"+rel.Approval, &a)
	in := map[string]any{"approve": true, "reason": "good numbers", "binding": a.Binding}
	require.NoError(p.t, p.as("ben").Decide(p.ctx, a, in, nil))
}

func (p *platform) release(id string) rollout.Release {
	var rel rollout.Release
	p.get("/v1/releases/"+id, &rel)
	return rel
}

// ended waits for a release's end and gives it.
func (p *platform) ended(rel rollout.Release) rollout.Release {
	p.until("release "+rel.ID+" ends", func() bool { return !p.release(rel.ID).Ended.IsZero() })
	return p.release(rel.ID)
}

func (p *platform) run(id string) training.Run {
	var r training.Run
	p.get("/v1/runs/"+id, &r)
	return r
}

// trained counts the trainings that ran to their end.
func (p *platform) trained() []string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func (p *platform) live(env string) int {
	var e rollout.Environment
	p.get("/v1/models/support/environments/"+env, &e)
	for _, t := range e.Targets {
		if t.Weight == 100 {
			return t.Version
		}
	}
	return 0
}

// intact asserts that the audit chain holds.
func (p *platform) intact() {
	var out json.RawMessage
	require.NoError(p.t, p.as("admin").Get(p.ctx, "/v1/audit/verify", &out))
	require.Contains(p.t, string(out), `"ok":true`)
}
