package states_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/local/states"
)

// everything is a machine with Parallel, Map, Wait, Retry and a task token.
const everything = `{"QueryLanguage":"JSONata","StartAt":"Fan","States":{
 "Fan":{"Type":"Parallel","Branches":[
  {"StartAt":"Each","States":{"Each":{"Type":"Map","Items":[1,2,3],"MaxConcurrency":2,"ItemProcessor":{"StartAt":"Do","States":{
    "Do":{"Type":"Task","Resource":"arn:aws:states:::eks:runJob.sync","Arguments":{"n":"{% $states.input %}"},"TimeoutSeconds":99999999,
      "Retry":[{"ErrorEquals":["Flaky"],"IntervalSeconds":60,"MaxAttempts":2}],"End":true}}},"End":true}}},
  {"StartAt":"Rest","States":{"Rest":{"Type":"Wait","Seconds":3600,"Next":"Ask"},
    "Ask":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ssm:getParameter.waitForTaskToken","Arguments":{"token":"{% $states.context.Task.Token %}"},
      "TimeoutSeconds":99999999,"Assign":{"answer":"{% $states.result %}"},"Next":"Tell"},
    "Tell":{"Type":"Pass","Output":{"told":"{% $answer %}"},"End":true}}}],
  "Next":"Sum"},
 "Sum":{"Type":"Succeed","Output":{"sum":"{% $sum($states.input[0].squared) %}","told":"{% $states.input[1].told %}"}}}}`

// TestMain runs the platform's part in a child process when asked to.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STATES_CHILD_DIR"); dir != "" {
		if err := child(dir, os.Getenv("STATES_KILL")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// leapClock jumps over short waits and never reaches the far deadlines of tasks.
type leapClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *leapClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *leapClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *leapClock) AfterFunc(at time.Time, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.Sub(c.now) < 48*time.Hour {
		if at.After(c.now) {
			c.now = at
		}
		go f()
	}
	return func() {}
}

// killer ends the process with SIGKILL at its n-th chance: after a commit ("commit:n") or between an
// effect and the commit of its result ("effect:n").
type killer struct {
	mu   sync.Mutex
	kind string
	left int
}

func newKiller(spec string) *killer {
	kind, n, _ := strings.Cut(spec, ":")
	left, _ := strconv.Atoi(n)
	return &killer{kind: kind, left: left}
}

func (k *killer) chance(kind string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kind != kind {
		return
	}
	if k.left--; k.left == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// effects keeps what tasks did, one file per task id, made once: describe before create.
type effects struct {
	dir string
	k   *killer
}

func (e effects) do(id, content string) error {
	draft := filepath.Join(e.dir, "draft-"+id)
	if err := os.WriteFile(draft, []byte(content), 0o600); err != nil {
		return err
	}
	// A link makes the effect at once: another task's kill must not leave half of this one.
	err := os.Link(draft, filepath.Join(e.dir, "effect-"+id))
	if os.IsExist(err) {
		return nil
	}
	e.k.chance("effect")
	return err
}

func child(dir, kill string) error {
	db, err := states.OpenDB(filepath.Join(dir, "states.db"))
	if err != nil {
		return err
	}
	k := newKiller(kill)
	e := effects{dir, k}
	tokens := make(chan string, 10)
	done := make(chan struct{})
	s, err := states.New(states.Config{
		DB: db, Clock: &leapClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		Machines: map[string]json.RawMessage{"everything": json.RawMessage(everything)},
		Integrations: asl.Integrations{
			"arn:aws:states:::eks:runJob.sync": func(_ context.Context, t asl.Task) (json.RawMessage, error) {
				var a struct{ N int }
				if err := json.Unmarshal(t.Arguments, &a); err != nil {
					return nil, err
				}
				if err := e.do(t.ID, fmt.Sprintf("do %d try %d", a.N, t.Attempt)); err != nil {
					return nil, err
				}
				t.Submitted(json.RawMessage(`{}`))
				if a.N == 2 && t.Attempt == 0 {
					return nil, asl.Fail("Flaky", "the first try of 2")
				}
				return json.Marshal(map[string]int{"squared": a.N * a.N})
			},
			"arn:aws:states:::aws-sdk:ssm:getParameter": func(_ context.Context, t asl.Task) (json.RawMessage, error) {
				if err := e.do(t.ID, "ask"); err != nil {
					return nil, err
				}
				if err := os.WriteFile(filepath.Join(dir, "token"), []byte(t.Token), 0o600); err != nil {
					return nil, err
				}
				tokens <- t.Token
				return json.RawMessage(`{}`), nil
			},
		},
		OnChange: func(c states.Change) {
			if c.Status != asl.Running {
				close(done)
			}
			k.chance("commit")
		},
	})
	if err != nil {
		return err
	}
	return drive(s, dir, tokens, done)
}

// drive starts or resumes the execution, answers the token and writes down how it ended.
func drive(s *states.Service, dir string, tokens chan string, done chan struct{}) error {
	ctx := context.Background()
	if err := s.Resume(ctx); err != nil {
		return err
	}
	arn := "arn:aws:states:local:000000000000:execution:everything:one"
	d, err := s.DescribeExecution(ctx, arn)
	if err != nil {
		if _, err := s.StartExecution(ctx, "everything", "one", json.RawMessage(`{}`)); err != nil {
			return err
		}
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "token")); err == nil { // asked before the kill
		tokens <- string(raw)
	}
	for ended := err == nil && d.Status != asl.Running; !ended; {
		select {
		case token := <-tokens:
			_ = s.SendTaskSuccess(ctx, token, json.RawMessage(`"yes"`)) // a second answer is refused
		case <-done:
			ended = true
		}
	}
	if d, err = s.DescribeExecution(ctx, arn); err != nil {
		return err
	}
	out := fmt.Sprintf("%s %s", d.Status, d.Output)
	return errJoin(os.WriteFile(filepath.Join(dir, "result"), []byte(out), 0o600), s.Close())
}

func errJoin(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// spawn runs a child and tells whether it was killed.
func spawn(t *testing.T, dir, kill string) (killed bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0])
	c.Env = append(os.Environ(), "STATES_CHILD_DIR="+dir, "STATES_KILL="+kill)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	err := c.Run()
	require.NoError(t, ctx.Err(), "the child hung: %s", output.String())
	if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return true
	}
	require.NoError(t, err, output.String())
	return false
}

// outcome is the result and the multiset of effects.
func outcome(t *testing.T, dir string) string {
	t.Helper()
	result, err := os.ReadFile(filepath.Join(dir, "result"))
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "effect-*"))
	require.NoError(t, err)
	lines := []string{string(result)}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		require.NoError(t, err)
		lines = append(lines, string(raw))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestService_SurvivesAKillAtEveryCommitAndEffect(t *testing.T) {
	whole := t.TempDir()
	require.False(t, spawn(t, whole, ""))
	want := outcome(t, whole)
	require.Contains(t, want, `SUCCEEDED {"sum":14,"told":"yes"}`)
	require.Equal(t, 5, strings.Count(want, "do ")+strings.Count(want, "ask"))
	for _, kind := range []string{"commit", "effect"} {
		kills := 0
		for n := 1; ; n++ {
			dir := t.TempDir()
			killed := spawn(t, dir, fmt.Sprintf("%s:%d", kind, n))
			if killed {
				kills++
				require.False(t, spawn(t, dir, ""))
			}
			require.Equal(t, want, outcome(t, dir), "%s %d", kind, n)
			if !killed {
				break
			}
		}
		require.GreaterOrEqual(t, kills, 5, kind)
		t.Logf("%s: killed at %d points", kind, kills)
	}
}

func TestService_SurvivesAKillAfterEachCommitOfOneExecution(t *testing.T) {
	dir := t.TempDir()
	deaths := 0
	for spawn(t, dir, "commit:1") {
		deaths++
		require.Less(t, deaths, 200)
	}
	require.Greater(t, deaths, 10)
	require.Contains(t, outcome(t, dir), `SUCCEEDED {"sum":14,"told":"yes"}`)
	t.Logf("one execution killed %d times", deaths)
}
