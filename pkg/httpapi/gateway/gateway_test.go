package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/gateway"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/table"
)

// world is a gateway over real services; endpoints are functions.
type world struct {
	t       *testing.T
	server  *httptest.Server
	monitor *monitor.Service
	table   table.Table
	answer  func(endpoint string) (*http.Response, error)
	asked   chan struct{} // when set, an endpoint tells here that it was asked, and waits until its caller leaves
	allowed error
}

func (w *world) Invoke(ctx context.Context, endpoint string, _ []byte) (*http.Response, error) {
	if w.asked != nil {
		w.asked <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return w.answer(endpoint)
}

func reply(status int, contentType, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}
}

func newWorld(t *testing.T) *world {
	db, err := sqlite.OpenTemp()
	require.NoError(t, err)
	w := &world{t: t, table: db.Table(ids.WallClock)}
	log := audit.NewLog(w.table, ids.WallClock, ids.Sequence())
	reg := registry.New(registry.Deps{Table: w.table, Log: log, Clock: ids.WallClock})
	w.monitor = monitor.New(monitor.Deps{Table: w.table, Clock: ids.WallClock, Mask: func(s string) string { return strings.ReplaceAll(s, "ana@example.com", "[EMAIL]") }})
	roll := rollout.New(rollout.Deps{Table: w.table, Log: log, Registry: reg, Monitor: w.monitor, Clock: ids.WallClock, IDs: ids.Sequence(), Logger: slog.New(slog.DiscardHandler)})
	_, err = reg.CreateModel(t.Context(), audit.System("test"), registry.Model{ID: "support", Dataset: "d"})
	require.NoError(t, err)
	require.NoError(t, roll.Setup(t.Context(), audit.System("test"), "support"))
	w.server = httptest.NewServer(gateway.New(gateway.Deps{Authorize: func(*http.Request) error { return w.allowed }, Registry: reg, Rollout: roll,
		Monitor: w.monitor, Invoker: w, Clock: ids.WallClock, IDs: ids.ULIDs(ids.WallClock), Logger: slog.New(slog.DiscardHandler)}))
	t.Cleanup(func() { w.server.Close(); require.NoError(t, db.Close()) })
	w.answer = func(string) (*http.Response, error) {
		return reply(200, "application/json", `{"choices":[{"message":{"content":"hi ana@example.com"}}],"usage":{"total_tokens":7}}`), nil
	}
	return w
}

// weights releases versions to production with weights, as one record.
func (w *world) weights(weights ...int) {
	env, err := table.Load[rollout.Environment](w.t.Context(), w.table, table.Key{PK: "MODEL#support", SK: "ENV#production"})
	require.NoError(w.t, err)
	env.Targets = nil
	for i, weight := range weights {
		env.Targets = append(env.Targets, rollout.Target{Version: i + 1, Digest: fmt.Sprintf("sha256:%d", i+1), Endpoint: fmt.Sprintf("e%d", i+1), Weight: weight})
	}
	require.NoError(w.t, w.table.Write(w.t.Context(), "", table.Save(table.Key{PK: "MODEL#support", SK: "ENV#production"}, env, env.Rev, nil)))
}

func (w *world) post(path, body string) (*http.Response, string) {
	resp, err := http.Post(w.server.URL+path, "application/json", bytes.NewReader([]byte(body)))
	require.NoError(w.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	return resp, string(b)
}

const (
	chat  = "/gateway/production/v1/chat/completions"
	hello = `{"messages":[{"role":"user","content":"I am ana@example.com"}]}`
)

func TestGateway_CountsAndCapturesMasked(t *testing.T) {
	w := newWorld(t)
	w.weights(100)
	resp, body := w.post(chat, hello)
	require.Equal(t, 200, resp.StatusCode, body)
	require.Equal(t, "1", resp.Header.Get("Perennial-Version"))
	totals, err := w.monitor.Totals(t.Context(), "support", "production", "sha256:1")
	require.NoError(t, err)
	require.EqualValues(t, 1, totals.Requests)
	require.EqualValues(t, 7, totals.Tokens)
	captures, err := w.monitor.Captures(t.Context(), "support", "production", 10)
	require.NoError(t, err)
	require.Len(t, captures, 1)
	require.Equal(t, "user: I am [EMAIL]", captures[0].Prompt)
	require.Equal(t, "hi [EMAIL]", captures[0].Answer)
}

// Clients may send a message's text in parts, and no text at all.
func TestGateway_ReadsContentInParts(t *testing.T) {
	w := newWorld(t)
	w.weights(100)
	resp, body := w.post(chat, `{"messages":[{"role":"assistant","content":null},{"role":"user","content":[{"type":"text","text":"Who "},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"are you?"}]}]}`)
	require.Equal(t, 200, resp.StatusCode, body)
	captures, err := w.monitor.Captures(t.Context(), "support", "production", 10)
	require.NoError(t, err)
	require.Equal(t, "assistant: \nuser: Who are you?", captures[0].Prompt)
}

func TestGateway_ListsModels(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]string{
		"models": `"data":[{"created":`, "models/support": `"id":"support"`, "models/nobody": `no model \"nobody\"`,
	} {
		resp, err := http.Get(w.server.URL + "/gateway/production/v1/" + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Contains(t, string(body), want)
	}
}

func TestGateway_SharesRequestsByWeight(t *testing.T) {
	w := newWorld(t)
	w.weights(80, 20)
	seen := map[string]int{}
	w.answer = func(endpoint string) (*http.Response, error) {
		seen[endpoint]++
		return reply(200, "application/json", `{}`), nil
	}
	for range 300 {
		w.post(chat, hello)
	}
	require.InDelta(t, 60, seen["e2"], 40) // 20%: chance of a miss below 1e-7
}

func TestGateway_StreamsAndCapturesTheWholeText(t *testing.T) {
	w := newWorld(t)
	w.weights(100)
	events := `data: {"choices":[{"delta":{"content":"one "}}]}` + "\n\n" + `data: {"choices":[{"delta":{"content":"two"}}]}` + "\n\ndata: [DONE]\n\n"
	w.answer = func(string) (*http.Response, error) { return reply(200, "text/event-stream", events), nil }
	_, body := w.post(chat, hello)
	require.Equal(t, events, body)
	captures, err := w.monitor.Captures(t.Context(), "support", "production", 10)
	require.NoError(t, err)
	require.Equal(t, "one two", captures[0].Answer)
}

func TestGateway_CountsFailures(t *testing.T) {
	w := newWorld(t)
	w.weights(100)
	w.answer = func(string) (*http.Response, error) { return nil, errors.New("connection refused") }
	resp, body := w.post(chat, hello)
	require.Equal(t, http.StatusBadGateway, resp.StatusCode)
	require.NotContains(t, body, "refused", "details stay inside")
	w.answer = func(string) (*http.Response, error) { return reply(500, "application/json", `{}`), nil }
	w.post(chat, hello)
	w.answer = func(string) (*http.Response, error) { return reply(400, "application/json", `{}`), nil }
	w.post(chat, hello)
	totals, err := w.monitor.Totals(t.Context(), "support", "production", "sha256:1")
	require.NoError(t, err)
	require.EqualValues(t, 3, totals.Requests)
	require.EqualValues(t, 2, totals.Errors, "a caller's mistake is not the version's")
	points, err := w.monitor.Series(t.Context(), "support", "production", []string{"sha256:1"}, 5)
	require.NoError(t, err)
	require.NotEmpty(t, points)
	require.WithinDuration(t, time.Now(), points[0].Time, 3*time.Minute)
}

func TestGateway_CountsNoCallerWhoLeavesAsTheVersionsFailure(t *testing.T) {
	w := newWorld(t)
	w.weights(100)
	w.asked = make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+chat, strings.NewReader(hello))
	require.NoError(t, err)
	go func() { <-w.asked; leave() }()
	_, err = http.DefaultClient.Do(request)
	require.ErrorIs(t, err, context.Canceled)
	w.server.Close() // waits for the gateway to be done with it
	totals, err := w.monitor.Totals(t.Context(), "support", "production", "sha256:1")
	require.NoError(t, err)
	require.Zero(t, totals.Requests+totals.Errors)
}

func TestGateway_BadInput(t *testing.T) {
	w := newWorld(t)
	for name, tc := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"nothing released":   {chat, hello, 503, "nothing is released"},
		"not JSON":           {chat, `{`, 400, "messages"},
		"no messages":        {chat, `{}`, 400, "no messages"},
		"a prompt to a chat": {chat, `{"prompt":"x"}`, 400, "no messages"},
		"a chat to a prompt": {"/gateway/production/v1/completions", hello, 400, "no prompt"},
		"content is wrong":   {chat, `{"messages":[{"role":"user","content":7}]}`, 400, "neither a text nor a list of parts"},
		"unknown model":      {"/gateway/production/v1/completions", `{"model":"other","prompt":"x"}`, 404, "other"},
		"unknown place":      {"/gateway/moon/v1/completions", `{"prompt":"x"}`, 404, "moon"},
		"unknown route":      {"/gateway/production/v1/embeddings", `{}`, 404, "chat/completions"},
		"too large":          {chat, `{"prompt":"` + strings.Repeat("x", 5<<20) + `"}`, 413, "4 MiB"},
		"messages are wrong": {chat, `{"messages":"hello"}`, 400, "messages"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := w.post(tc.path, tc.body)
			require.Equal(t, tc.status, resp.StatusCode, body)
			require.Contains(t, body, tc.says)
		})
	}
	w.allowed = errs.New(errs.Unauthenticated, "no API key")
	resp, _ := w.post(chat, hello)
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
}
