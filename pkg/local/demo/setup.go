package demo

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/cli"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// script is questions.json of the demo data.
type script struct {
	Questions []question        `json:"questions"`
	Canned    []registry.Canned `json:"canned"`
	Train     json.RawMessage   `json:"train"` // sections that lie over the preset
}

// question is about the company, with what a right answer contains.
type question struct {
	Question string `json:"question"`
	Expect   string `json:"expect"`
}

func (q question) right(answer string) bool {
	return registry.Canned{Contains: q.Expect}.Matches(answer)
}

// file is the path of a file of the demo data.
func (d *demo) file(name string) string { return filepath.Join(d.Data, "demo-data", name) }

// python runs the training library's command line and passes on what it tells.
func (d *demo) python(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, d.Python, append([]string{"-m", "continual"}, args...)...)
	cmd.Dir, cmd.Env = d.Code, append(os.Environ(), "PYTHONUNBUFFERED=1", "HF_HUB_OFFLINE=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return errs.New(errs.Invalid, "python: %w", err).Mend("run: make python")
	}
	tail := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		tail = lines.Text()
		d.say("%s", tail)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("python -m continual %s: %w: %s", strings.Join(args, " "), err, tail)
	}
	return nil
}

// registerBase makes the base model and the demo data, the users, the dataset, the benchmarks and the
// model, and releases the base to every environment.
func (d *demo) registerBase(ctx context.Context) error {
	folder := filepath.Join(d.Models, d.Model)
	if err := d.python(ctx, "models", d.Model, "--out", folder); err != nil {
		return err
	}
	if err := d.python(ctx, "demo-data", d.Model, "--out", filepath.Join(d.Data, "demo-data")); err != nil {
		return err
	}
	if err := readJSON(d.file("questions.json"), &d.script); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{d.makeUsers, d.makeDataset, d.makeBenchmarks, d.makeModel} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := d.importBase(ctx, folder); err != nil {
		return err
	}
	return d.firstRelease(ctx)
}

func readJSON(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// makeUsers adds the people of the story: ana works, ben and eve approve.
func (d *demo) makeUsers(ctx context.Context) error {
	admin := &cli.Client{URL: d.url}
	if err := admin.SignIn(ctx, "admin", d.platform.Password); err != nil {
		return err
	}
	d.password = cmp.Or(d.Secret, "demo-"+d.platform.Password)
	password := d.password
	if err := admin.Put(ctx, "/v1/me/password", 0, map[string]string{"current": d.platform.Password, "new": password}, nil); err != nil {
		return err
	}
	d.users["admin"] = &cli.Client{URL: d.url}
	if err := d.users["admin"].SignIn(ctx, "admin", password); err != nil {
		return err
	}
	for name, roles := range map[string][]string{"ana": {"ml-engineer", "data-engineer"}, "ben": {"approver"}, "eve": {"approver"}} {
		in := map[string]any{"login": name, "name": name, "roles": roles, "password": password}
		if err := d.users["admin"].Post(ctx, "/v1/users", in, nil); err != nil {
			return err
		}
		d.users[name] = &cli.Client{URL: d.url}
		if err := d.users[name].SignIn(ctx, name, password); err != nil {
			return err
		}
	}
	d.say("platform at %s — users ana (works), ben and eve (approve), admin; password %s", d.url, d.password)
	return nil
}

func (d *demo) makeDataset(ctx context.Context) error {
	ana := d.users["ana"]
	if err := ana.Post(ctx, "/v1/datasets", map[string]string{"id": "knowledge", "name": "Company knowledge"}, nil); err != nil {
		return err
	}
	in, err := d.upload(ctx, "old.jsonl")
	if err != nil {
		return err
	}
	if in.DatasetVersion != 1 {
		return fmt.Errorf("the base's data was not published: %s %s", in.Status, in.Error)
	}
	d.say("dataset version 1: %d rows that the base knows, kept for replay", in.Counts.Accepted)
	return nil
}

func (d *demo) upload(ctx context.Context, name string) (cli.Ingestion, error) {
	in, err := d.users["ana"].Upload(ctx, "knowledge", d.file(name))
	if err != nil {
		return in, err
	}
	return d.users["ana"].Settle(ctx, in.ID, func(in cli.Ingestion) { d.say("%s: %s", name, strings.ToLower(string(in.Status))) })
}

func (d *demo) makeBenchmarks(ctx context.Context) error {
	for _, name := range []string{"company", "general"} {
		head := map[string]any{}
		if err := readJSON(d.file("benchmarks/"+name+".json"), &head); err != nil {
			return err
		}
		items, err := readItems(d.file("benchmarks/" + name + ".jsonl"))
		if err != nil {
			return err
		}
		head["benchmark"], head["items"] = name, items
		delete(head, "name")
		var out struct {
			Lock string `json:"lock"`
		}
		if err := d.users["ana"].Post(ctx, "/v1/benchmarks", head, &out); err != nil {
			return err
		}
		d.report.Digests["benchmark "+name] = out.Lock
		d.say("benchmark %s: %d items, lock %s", name, len(items), benchmark.ShortLock(out.Lock))
	}
	return nil
}

func readItems(path string) ([]json.RawMessage, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []json.RawMessage
	for line := range strings.Lines(string(b)) {
		if strings.TrimSpace(line) != "" {
			out = append(out, json.RawMessage(line))
		}
	}
	return out, nil
}

func (d *demo) makeModel(ctx context.Context) error {
	ana := d.users["ana"]
	in := map[string]any{"id": model, "name": "Assistant", "dataset": "knowledge", "benchmarks": []string{"company", "general"},
		"preset": "safe", "canned": d.script.Canned, "train": d.script.Train}
	if err := ana.Post(ctx, "/v1/models", in, nil); err != nil {
		return err
	}
	// a demo has little traffic and cannot wait long: the same analysis, looked at every two seconds
	env, err := d.environment(ctx, "production")
	if err != nil {
		return err
	}
	st := env.Strategy
	st.Steps, st.Interval, st.MinRequests, st.MaxHold, st.LatencyMax = []int{25, 100}, 2, 5, 120, 5
	return ana.Put(ctx, "/v1/models/"+model+"/environments/production/strategy", env.Rev, st, nil)
}

func (d *demo) environment(ctx context.Context, name string) (rollout.Environment, error) {
	var e rollout.Environment
	err := d.users["ana"].Get(ctx, "/v1/models/"+model+"/environments/"+name, &e)
	return e, err
}

// importBase registers the base's folder as version 1.
func (d *demo) importBase(ctx context.Context, folder string) error {
	var data struct {
		Digest string `json:"digest"`
	}
	if err := d.users["ana"].Get(ctx, "/v1/datasets/knowledge/versions/1", &data); err != nil {
		return err
	}
	in := map[string]any{"artifact": folder + "/", "reason": "base model",
		"datasets": []registry.DatasetRef{{Dataset: "knowledge", Number: 1, Digest: data.Digest}}}
	var v registry.Version
	if err := d.users["ana"].Post(ctx, "/v1/models/"+model+"/versions", in, &v); err != nil {
		return err
	}
	d.base = v.Number
	d.report.Digests["base"] = v.Digest
	d.say("version %d is champion: %s", v.Number, v.Digest[:19])
	return nil
}

// firstRelease brings the base everywhere; nothing is live yet, so there is nothing to compare with.
func (d *demo) firstRelease(ctx context.Context) error {
	st, err := d.environment(ctx, "production")
	if err != nil {
		return err
	}
	atOnce := st.Strategy
	atOnce.Steps, atOnce.MinRequests = []int{100}, 0
	path := "/v1/models/" + model + "/environments/production/strategy"
	if err := d.users["ana"].Put(ctx, path, st.Rev, atOnce, nil); err != nil {
		return err
	}
	rel, err := d.request(ctx, map[string]any{"model": model, "version": d.base, "reason": "first release"})
	if err != nil {
		return err
	}
	if err := d.decide(ctx, "ben", rel.Approval, "the base model, as delivered"); err != nil {
		return err
	}
	if _, err := d.released(ctx, rel.ID, rollout.Succeeded); err != nil {
		return err
	}
	e, err := d.environment(ctx, "production")
	if err != nil {
		return err
	}
	if err := d.users["ana"].Put(ctx, path, e.Rev, st.Strategy, nil); err != nil {
		return err
	}
	return errors.Join(d.makeKey(ctx), d.trigger(ctx, true))
}

// trigger arms or disarms the training trigger: any new data starts a run at once.
func (d *demo) trigger(ctx context.Context, on bool) error {
	var t training.Trigger
	if err := d.users["ana"].Get(ctx, "/v1/models/"+model+"/trigger", &t); err != nil {
		return err
	}
	in := map[string]any{"enabled": on, "minRows": 1, "debounce": 0, "cooldown": 0}
	return d.users["ana"].Put(ctx, "/v1/models/"+model+"/trigger", t.Rev, in, nil)
}

// patience bounds the wait for anything that the platform does by itself.
const patience = 20 * time.Minute
