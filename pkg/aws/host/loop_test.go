package host_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/cli"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// company is the people who run the loop in an account, each with a command line that is signed in.
type company struct {
	*cloud
	as map[string]*cli.Client
}

func newCompany(t *testing.T) company {
	c := company{cloud: newCloud(t), as: map[string]*cli.Client{}}
	c.people.invite(t, "root@x.eu", "Mailed-by-cognito-1")
	root := &cli.Client{URL: c.url}
	require.NoError(t, root.SignIn(t.Context(), "root@x.eu", "Mailed-by-cognito-1"))
	require.NoError(t, root.ChangePassword(t.Context(), "Mailed-by-cognito-1", "correct horse battery"))
	c.as["root"] = root
	for name, roles := range map[string][]string{"ana": {"ml-engineer", "data-engineer"}, "ben": {"approver"}} {
		c.post("root", "/v1/users", map[string]any{"login": name + "@x.eu", "name": name, "roles": roles, "password": "correct horse battery"}, nil)
		c.as[name] = &cli.Client{URL: c.url}
		require.NoError(t, c.as[name].SignIn(t.Context(), name+"@x.eu", "correct horse battery"))
	}
	return c
}

func (c company) get(path string, out any) {
	c.Helper()
	require.NoError(c, c.as["ana"].Get(c.Context(), path, out))
}

func (c company) post(who, path string, in, out any) {
	c.Helper()
	require.NoError(c, c.as[who].Post(c.Context(), path, in, out))
}

// until waits for what the account does by itself: meanwhile the schedule calls the sweep and Lambda polls
// the queue, as they do on AWS.
func (c company) until(what string, ok func() bool) {
	c.Helper()
	began := time.Now()
	for !ok() {
		require.Less(c, time.Since(began), 10*time.Minute, "did not happen: %s", what)
		_, err := c.handlers["trigger-sweep"].Invoke(c.Context(), []byte(`{"source":"aws.events"}`))
		require.NoError(c, err)
		c.queues.poll(c.queues.main, "arn:main")
		time.Sleep(100 * time.Millisecond)
	}
	c.Logf("%5.1f s until %s", time.Since(began).Seconds(), what)
}

func rowsNamed(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"prompt":"%s question %d?","completion":"%s fact %d"}`+"\n", name, i, name, i)
	}
	return b.String()
}

// published waits for a version of the dataset.
func (c company) published(n int) (digest string) {
	var v struct{ Digest string }
	c.until(fmt.Sprintf("dataset version %d", n), func() bool {
		return c.as["ana"].Get(c.Context(), fmt.Sprintf("/v1/datasets/tickets/versions/%d", n), &v) == nil
	})
	return v.Digest
}

// base brings a model and its first version, made by the containers' own code, to the account.
func (c company) base(data string) {
	folder, err := filepath.Abs("../../local/testdata/containers")
	require.NoError(c, err)
	out := filepath.Join(c.dir, "base")
	script := `import os, pathlib, sys; sys.path.insert(0, sys.argv[1]); os.environ["PERENNIAL_ML_ROOT"] = "/nowhere"
import container as c
out = pathlib.Path(sys.argv[2]); out.mkdir(parents=True)
(out / "config.json").write_text("{}"); (out / "model.safetensors").write_text("base"); c.write_manifest(out, "")`
	said, err := exec.Command("python3", "-c", script, folder, out).CombinedOutput()
	require.NoError(c, err, string(said))
	for _, name := range []string{"config.json", "model.safetensors", "manifest.json"} {
		content, err := os.Open(filepath.Join(out, name))
		require.NoError(c, err)
		_, err = c.Objects.Put(c.Context(), "models/support/base/"+name, content, object.PutOptions{})
		require.NoError(c, err)
		require.NoError(c, content.Close())
	}
	items := []map[string]any{}
	for i := range 1000 { // what the default policy of an account wants to tell equal models apart from worse ones
		items = append(items, map[string]any{"id": fmt.Sprintf("i%03d", i), "input": fmt.Sprintf("benchmark question number %d?", i), "target": "answer", "capability": "general"})
	}
	c.post("ana", "/v1/benchmarks", map[string]any{"benchmark": "general", "scorer": map[string]any{"kind": "contains"}, "items": items}, nil)
	c.post("ana", "/v1/models", map[string]any{"id": "support", "dataset": "tickets", "benchmarks": []string{"general"},
		"canned": []registry.Canned{{Prompt: "ready?", Contains: "answer"}}}, nil)
	c.post("ana", "/v1/models/support/versions", map[string]any{"artifact": "models/support/base/", "reason": "base",
		"datasets": []registry.DatasetRef{{Dataset: "tickets", Number: 1, Digest: data}}}, nil)
	var e rollout.Environment
	c.get("/v1/models/support/environments/production", &e)
	e.Strategy.Steps, e.Strategy.MinRequests, e.Strategy.Interval, e.Strategy.MaxHold = []int{100}, 0, 1, 1000
	require.NoError(c, c.as["ana"].Put(c.Context(), "/v1/models/support/environments/production/strategy", e.Rev, e.Strategy, nil))
}

// approved waits for a release to ask, lets Ben decide, and waits for its end.
func (c company) approved(id string) {
	var rel rollout.Release
	c.until("the release asks", func() bool {
		c.get("/v1/releases/"+id, &rel)
		return rel.Approval != ""
	})
	var a rollout.Approval
	c.get("/v1/approvals/"+rel.Approval, &a)
	in := map[string]any{"approve": true, "reason": "good numbers", "binding": a.Binding}
	require.Error(c, c.as["ana"].Decide(c.Context(), a, in, nil), "who asks does not approve")
	require.NoError(c, c.as["ben"].Decide(c.Context(), a, in, nil))
	c.until("the release ends", func() bool {
		c.get("/v1/releases/"+id, &rel)
		return !rel.Ended.IsZero()
	})
	require.Equal(c, rollout.Succeeded, rel.Phase, rel.Error)
}

func (c company) live() int {
	var e rollout.Environment
	c.get("/v1/models/support/environments/production", &e)
	for _, t := range e.Targets {
		if t.Weight == 100 {
			return t.Version
		}
	}
	return 0
}

// The whole loop over the AWS adapters: a file arrives in S3, a trigger trains, the gate judges, a person
// approves, the release goes live, answers, and is rolled back; the trail holds.
func TestLoop_InAnAccount(t *testing.T) {
	c := newCompany(t)
	c.post("ana", "/v1/datasets", map[string]string{"id": "tickets"}, nil)
	path := filepath.Join(c.dir, "base.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(rowsNamed("base", 20)), 0o600))
	_, err := c.as["ana"].Upload(t.Context(), "tickets", path)
	require.NoError(t, err)
	c.base(c.published(1))
	var rel rollout.Release
	c.post("ana", "/v1/releases", map[string]any{"model": "support", "version": 1, "reason": "first"}, &rel)
	c.approved(rel.ID)
	require.Equal(t, 1, c.live())

	var trigger training.Trigger
	c.get("/v1/models/support/trigger", &trigger)
	require.NoError(t, c.as["ana"].Put(t.Context(), "/v1/models/support/trigger", trigger.Rev, map[string]any{"enabled": true, "minRows": 10, "debounce": 1, "cooldown": 1}, nil))
	info, err := c.Objects.Put(t.Context(), "incoming/tickets/new.jsonl", strings.NewReader(rowsNamed("new", 30)), object.PutOptions{})
	require.NoError(t, err)
	event := created("incoming/tickets/new.jsonl", info.Version)
	c.queues.send(event)
	c.queues.send(event) // S3 tells at least once
	c.published(2)

	var runs struct{ Items []training.Run }
	require.NoError(t, os.WriteFile(filepath.Join(c.dir, "let-go"), nil, 0o600))
	c.until("the run that the data triggered ends", func() bool {
		c.get("/v1/runs?model=support", &runs)
		return len(runs.Items) > 0 && !runs.Items[0].Ended.IsZero()
	})
	require.Len(t, runs.Items, 1, "trained once")
	run := runs.Items[0]
	require.Equal(t, "PASS", run.Verdict, run.Error)
	require.NotEmpty(t, run.Release, "%+v", run)
	rel.ID = run.Release
	c.approved(rel.ID)
	require.Equal(t, 2, c.live())

	reply, err := c.as["ana"].Ask(t.Context(), "production", "support", "hello")
	require.NoError(t, err)
	require.NotEmpty(t, reply)
	rb, err := c.as["ben"].RollBack(t.Context(), "support", "production", map[string]any{"reason": "drill"})
	require.NoError(t, err)
	c.until("the rollback is verified", func() bool {
		c.get("/v1/rollbacks/"+rb.ID, &rb)
		return rb.Status == "Done" || rb.Status == "Failed"
	})
	require.EqualValues(t, "Done", rb.Status, rb.Error)
	require.Equal(t, 1, c.live())
	var line, trail json.RawMessage
	c.get("/v1/lineage?node=modelVersion:support@2&direction=backward", &line)
	require.Contains(t, string(line), "datasetVersion:tickets@2")
	require.NoError(t, c.as["root"].Get(t.Context(), "/v1/audit/verify", &trail))
	require.Contains(t, string(trail), `"ok":true`)
}
