package states_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/local/states"
)

const chain = `{"QueryLanguage":"JSONata","StartAt":"Work","States":{
  "Work":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ecs:runTask","Arguments":{"n":"{% $states.input.n %}"},"TimeoutSeconds":60,
    "Assign":{"seen":"{% $states.result.doubled %}"},"Next":"Ask"},
  "Ask":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ssm:getParameter.waitForTaskToken","Arguments":{"token":"{% $states.context.Task.Token %}"},
    "TimeoutSeconds":600,"HeartbeatSeconds":300,"Catch":[{"ErrorEquals":["Refused"],"Output":"{% $states.errorOutput %}","Next":"Refused"}],"Next":"Done"},
  "Refused":{"Type":"Fail","Error":"Refused","Cause":"{% $states.input.Cause %}"},
  "Done":{"Type":"Succeed","Output":{"answer":"{% $states.input %}","seen":"{% $seen %}"}}}}`

const nested = `{"QueryLanguage":"JSONata","StartAt":"Child","States":{"Child":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2",
  "Arguments":{"StateMachineArn":"chain","Input":{"n":"{% $states.input.n %}"}},"TimeoutSeconds":60,"Output":"{% $states.result.Output %}","End":true}}}`

// texts passes and gets JSON texts, as .sync does.
const texts = `{"QueryLanguage":"JSONata","StartAt":"Child","States":{"Child":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync",
  "Arguments":{"StateMachineArn":"chain","Input":"{% $string({'n': 3}) %}"},"TimeoutSeconds":60,
  "Output":{"seen":"{% $parse($states.result.Output).seen %}","redrive":"{% $states.result.RedriveStatus %}"},"End":true}}}`

// host is a fake of what the platform registers: it counts effects by task id and keeps tokens.
type host struct {
	mu     sync.Mutex
	ids    map[string]int
	tokens chan string
	fail   bool
}

func newHost() *host { return &host{ids: map[string]int{}, tokens: make(chan string, 10)} }

func (h *host) integrations() asl.Integrations {
	return asl.Integrations{
		"arn:aws:states:::aws-sdk:ecs:runTask": func(_ context.Context, t asl.Task) (json.RawMessage, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.ids[t.ID]++
			if h.fail {
				return nil, asl.Fail("Broken", "on purpose")
			}
			var a struct{ N int }
			if err := json.Unmarshal(t.Arguments, &a); err != nil {
				return nil, err
			}
			return json.Marshal(map[string]int{"doubled": 2 * a.N})
		},
		"arn:aws:states:::aws-sdk:ssm:getParameter": func(_ context.Context, t asl.Task) (json.RawMessage, error) {
			select {
			case h.tokens <- t.Token:
			default: // driven again and again while the store fails: it is the same token
			}
			return json.RawMessage(`{}`), nil
		},
	}
}

type rig struct {
	t       *testing.T
	db      *sql.DB
	host    *host
	ended   chan states.Change
	service *states.Service
}

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := states.OpenDB(filepath.Join(t.TempDir(), "states.db"))
	require.NoError(t, err)
	r := &rig{t: t, db: db, host: newHost(), ended: make(chan states.Change, 100)}
	r.open()
	t.Cleanup(func() {
		require.NoError(t, r.service.Close())
		require.NoError(t, db.Close())
	})
	return r
}

func (r *rig) open() {
	s, err := states.New(states.Config{
		DB: r.db, Integrations: r.host.integrations(),
		Machines: map[string]json.RawMessage{"chain": json.RawMessage(chain), "nested": json.RawMessage(nested), "texts": json.RawMessage(texts)},
		OnChange: func(c states.Change) {
			if c.Status != asl.Running {
				r.ended <- c
			}
		},
	})
	require.NoError(r.t, err)
	r.service = s
}

func (r *rig) start(machine, name, input string) string {
	arn, err := r.service.StartExecution(context.Background(), machine, name, json.RawMessage(input))
	require.NoError(r.t, err)
	return arn
}

func (r *rig) describe(arn string) states.Description {
	d, err := r.service.DescribeExecution(context.Background(), arn)
	require.NoError(r.t, err)
	return d
}

func TestService_RunsToTheEndByToken(t *testing.T) {
	r := newRig(t)
	arn := r.start("chain", "one", `{"n": 21}`)
	token := <-r.host.tokens
	ctx := context.Background()
	require.Equal(t, "Ask", r.describe(arn).States[0].Name)
	require.NoError(t, r.service.SendTaskHeartbeat(ctx, token))
	require.NoError(t, r.service.SendTaskSuccess(ctx, token, json.RawMessage(`"yes"`)))
	<-r.ended
	d := r.describe(arn)
	require.Equal(t, asl.Succeeded, d.Status)
	require.JSONEq(t, `{"answer":"yes","seen":42}`, string(d.Output))
	require.ErrorIs(t, r.service.SendTaskSuccess(ctx, token, json.RawMessage(`1`)), states.ErrTaskTimedOut)
	require.ErrorIs(t, r.service.SendTaskSuccess(ctx, "made.up", json.RawMessage(`1`)), states.ErrInvalidToken)
}

func TestService_GoesOnAfterARestart(t *testing.T) {
	r := newRig(t)
	arn := r.start("chain", "one", `{"n":1}`)
	token := <-r.host.tokens
	require.NoError(t, r.service.Close())
	r.open()
	require.NoError(t, r.service.Resume(context.Background()))
	require.Equal(t, asl.Running, r.describe(arn).Status)
	require.NoError(t, r.service.SendTaskFailure(context.Background(), token, "Refused", "not good enough"))
	<-r.ended
	d := r.describe(arn)
	require.Equal(t, asl.Failed, d.Status)
	require.Equal(t, "not good enough", *d.Failure.Cause)
	for id, n := range r.host.ids {
		require.Equal(t, 1, n, id)
	}
}

func TestService_StartIsIdempotentByName(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	arn := r.start("chain", "one", `{"n":1}`)
	require.Equal(t, arn, r.start("chain", "one", `{ "n" : 1 }`))
	_, err := r.service.StartExecution(ctx, "chain", "one", json.RawMessage(`{"n":2}`))
	require.ErrorIs(t, err, states.ErrExecutionAlreadyExists)
	_, err = r.service.StartExecution(ctx, "none", "one", nil)
	require.ErrorIs(t, err, states.ErrStateMachineDoesNotExist)
	_, err = r.service.StartExecution(ctx, "chain", "a b", nil)
	require.ErrorIs(t, err, states.ErrInvalidName)
	require.NoError(t, r.service.StopExecution(ctx, arn, "Stopped", "by hand"))
	<-r.ended
	require.Equal(t, asl.Aborted, r.describe(arn).Status)
	_, err = r.service.StartExecution(ctx, "chain", "one", json.RawMessage(`{"n":1}`))
	require.ErrorIs(t, err, states.ErrExecutionAlreadyExists)
}

func TestService_RedrivesFromTheFailedState(t *testing.T) {
	r := newRig(t)
	r.host.fail = true
	arn := r.start("chain", "one", `{"n":1}`)
	<-r.ended
	require.Equal(t, "Work", r.describe(arn).States[0].Name)
	r.host.mu.Lock()
	r.host.fail = false
	r.host.mu.Unlock()
	require.NoError(t, r.service.RedriveExecution(context.Background(), arn))
	require.NoError(t, r.service.SendTaskSuccess(context.Background(), <-r.host.tokens, json.RawMessage(`1`)))
	<-r.ended
	d := r.describe(arn)
	require.Equal(t, asl.Succeeded, d.Status)
	require.Equal(t, 1, d.RedriveCount)
	require.Len(t, r.host.ids, 2, "the redriven task has an id of its own")
	require.ErrorIs(t, r.service.RedriveExecution(context.Background(), arn), states.ErrExecutionNotRedrivable)
}

func TestService_RunsNestedExecutions(t *testing.T) {
	r := newRig(t)
	arn := r.start("nested", "parent", `{"n":4}`)
	token := <-r.host.tokens
	require.NoError(t, r.service.Close())
	r.open()
	require.NoError(t, r.service.Resume(context.Background()))
	require.NoError(t, r.service.SendTaskSuccess(context.Background(), token, json.RawMessage(`"ok"`)))
	<-r.ended
	<-r.ended
	require.JSONEq(t, `{"answer":"ok","seen":8}`, string(r.describe(arn).Output))
	all, err := r.service.ListExecutions(context.Background(), "", asl.Succeeded)
	require.NoError(t, err)
	require.Len(t, all, 2)
}

func TestService_PassesJSONTextsToNestedExecutions(t *testing.T) {
	r := newRig(t)
	arn := r.start("texts", "parent", `{}`)
	require.NoError(t, r.service.SendTaskSuccess(context.Background(), <-r.host.tokens, json.RawMessage(`"ok"`)))
	<-r.ended
	<-r.ended
	require.JSONEq(t, `{"seen":6,"redrive":"NOT_REDRIVABLE"}`, string(r.describe(arn).Output))
}

func TestService_StopReachesNestedExecutions(t *testing.T) {
	r := newRig(t)
	arn := r.start("nested", "parent", `{"n":4}`)
	<-r.host.tokens
	require.NoError(t, r.service.StopExecution(context.Background(), arn, "", "enough"))
	for range 2 {
		c := <-r.ended
		require.Equal(t, asl.Aborted, c.Status)
	}
}

func TestService_RunEndsWithItsContext(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	require.NoError(t, r.service.Run(ctx))
	_, err := r.service.StartExecution(context.Background(), "chain", "late", nil)
	require.Error(t, err)
	require.False(t, errors.Is(err, states.ErrExecutionAlreadyExists))
}

func TestService_ForgetsWhatEndedNinetyDaysAgo(t *testing.T) {
	db, err := states.OpenDB(filepath.Join(t.TempDir(), "states.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	h, clock := newHost(), &leapClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	ended := make(chan states.Change, 10)
	s, err := states.New(states.Config{
		DB: db, Integrations: h.integrations(), Clock: clock,
		Machines: map[string]json.RawMessage{"quick": json.RawMessage(`{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Succeed"}}}`),
			"ask": json.RawMessage(`{"QueryLanguage":"JSONata","StartAt":"Ask","States":{"Ask":{"Type":"Task",
			"Resource":"arn:aws:states:::aws-sdk:ssm:getParameter.waitForTaskToken","Arguments":"{% $states.context.Task.Token %}","TimeoutSeconds":99999999,"End":true}}}`)},
		OnChange: func(c states.Change) {
			if c.Status != asl.Running {
				ended <- c
			}
		},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	ctx := context.Background()
	start := func(machine, name string) string {
		arn, err := s.StartExecution(ctx, machine, name, nil)
		require.NoError(t, err)
		return arn
	}
	old, running := start("quick", "old"), start("ask", "running")
	<-ended
	<-h.tokens
	clock.move(50 * 24 * time.Hour)
	young := start("quick", "young")
	<-ended
	clock.move(41 * 24 * time.Hour)
	require.NoError(t, s.Prune(ctx))
	_, err = s.DescribeExecution(ctx, old)
	require.ErrorIs(t, err, states.ErrExecutionDoesNotExist)
	for _, kept := range []string{running, young} {
		_, err = s.GetExecutionHistory(ctx, kept)
		require.NoError(t, err)
	}
	for _, table := range []string{"states_events", "states_threads"} {
		var n int
		require.NoError(t, db.QueryRow(`SELECT count(*) FROM `+table+` WHERE arn=?`, old).Scan(&n))
		require.Zero(t, n, table)
	}
	require.Equal(t, old, start("quick", "old"), "the name is free again")
	<-ended
}

func TestService_GoesOnWhenTheStoreFailedForAWhile(t *testing.T) {
	db, err := states.OpenDB(filepath.Join(t.TempDir(), "states.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	h := newHost()
	ended := make(chan states.Change, 1)
	s, err := states.New(states.Config{
		DB: db, Integrations: h.integrations(), Clock: &leapClock{now: time.Unix(0, 0).UTC()},
		Machines: map[string]json.RawMessage{"ask": json.RawMessage(`{"QueryLanguage":"JSONata","StartAt":"Ask","States":{"Ask":{"Type":"Task",
			"Resource":"arn:aws:states:::aws-sdk:ssm:getParameter.waitForTaskToken","Arguments":"{% $states.context.Task.Token %}","TimeoutSeconds":99999999,"End":true}}}`)},
		OnChange: func(c states.Change) {
			if c.Status != asl.Running {
				ended <- c
			}
		},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	ctx := context.Background()
	_, err = s.StartExecution(ctx, "ask", "one", nil)
	require.NoError(t, err)
	token := <-h.tokens
	_, err = db.ExecContext(ctx, `CREATE TRIGGER full BEFORE INSERT ON states_events BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
	require.NoError(t, err)
	err = s.SendTaskSuccess(ctx, token, json.RawMessage(`1`))
	require.Error(t, err)
	require.NotErrorIs(t, err, states.ErrTaskTimedOut)
	_, err = db.ExecContext(ctx, `DROP TRIGGER full`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.SendTaskSuccess(ctx, token, json.RawMessage(`1`)) == nil }, 20*time.Second, time.Millisecond)
	require.Equal(t, asl.Succeeded, (<-ended).Status)
}
