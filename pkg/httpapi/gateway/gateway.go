// Package gateway is the OpenAI-compatible way to a model's environments: it picks a version by the
// environment's weights, passes the request on, and counts and captures what came back (R6).
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// Invoker passes a request body to an endpoint and gives its answer as it comes.
type Invoker interface {
	Invoke(ctx context.Context, endpoint string, body []byte) (*http.Response, error)
}

// Deps is what the gateway needs.
type Deps struct {
	Authorize func(*http.Request) error // errs.Unauthenticated or errs.Forbidden
	Registry  *registry.Service
	Rollout   *rollout.Service
	Monitor   *monitor.Service
	Invoker   Invoker
	Clock     ids.Clock
	IDs       ids.Source
	Logger    *slog.Logger
}

// Gateway serves /gateway/{environment}/v1/….
type Gateway struct {
	Deps
	mux *http.ServeMux
}

// maxBody bounds a request in bytes.
const maxBody = 4 << 20

// New returns the handler.
func New(d Deps) *Gateway {
	g := &Gateway{Deps: d, mux: http.NewServeMux()}
	g.mux.HandleFunc("POST /gateway/{environment}/v1/chat/completions", g.complete)
	g.mux.HandleFunc("POST /gateway/{environment}/v1/completions", g.complete)
	g.mux.HandleFunc("GET /gateway/{environment}/v1/models", g.models)
	g.mux.HandleFunc("GET /gateway/{environment}/v1/models/{model}", g.oneModel)
	g.mux.HandleFunc("/gateway/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, errs.New(errs.NotFound, "no such route").Mend("use /gateway/production/v1/chat/completions"))
	})
	return g
}

// ServeHTTP serves one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := g.Authorize(r); err != nil {
		fail(w, err)
		return
	}
	g.mux.ServeHTTP(w, r)
}

func (g *Gateway) models(w http.ResponseWriter, r *http.Request) {
	list, err := g.Registry.Models(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	data := []map[string]any{}
	for _, m := range list {
		data = append(data, shown(m))
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
}

func (g *Gateway) oneModel(w http.ResponseWriter, r *http.Request) {
	m, err := g.Registry.Model(r.Context(), r.PathValue("model"))
	if err != nil {
		fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, shown(m))
}

// shown is a model in OpenAI's shape.
func shown(m registry.Model) map[string]any {
	return map[string]any{"id": m.ID, "object": "model", "created": m.Created.Unix(), "owned_by": "perennial"}
}

func (g *Gateway) complete(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, bodyStatus(err), errs.New(errs.Invalid, "request body: %w", err).Mend("send at most 4 MiB"))
		return
	}
	ask, err := parse(body, strings.HasSuffix(r.URL.Path, "/chat/completions"))
	if err == nil {
		ask.model, err = g.model(r.Context(), ask.model)
	}
	if err != nil {
		fail(w, err)
		return
	}
	env, err := g.Rollout.Environment(r.Context(), ask.model, r.PathValue("environment"))
	if err != nil {
		fail(w, err)
		return
	}
	target, err := pick(env, rand.IntN(100))
	if err != nil {
		fail(w, err)
		return
	}
	g.pass(w, r, env, target, ask, body)
}

// bodyStatus tells a body that is too large from one that broke off.
func bodyStatus(err error) int {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// model gives the model that a request names, or the only one there is.
func (g *Gateway) model(ctx context.Context, name string) (string, error) {
	if name != "" {
		_, err := g.Registry.Model(ctx, name)
		return name, err
	}
	list, err := g.Registry.Models(ctx)
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", errs.New(errs.Invalid, "the request names no model").At("/model").Mend("name one of the models that GET …/v1/models lists")
	}
	return list[0].ID, nil
}

// pick chooses a target by weight for a roll of 0 to 99.
func pick(env rollout.Environment, roll int) (rollout.Target, error) {
	for _, t := range env.Targets {
		if roll < t.Weight {
			return t, nil
		}
		roll -= t.Weight
	}
	return rollout.Target{}, errs.New(errs.Unavailable, "nothing is released to %s yet", env.Name).Mend("release a version there first")
}

// pass sends the request on, streams the answer back and records both.
func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, env rollout.Environment, t rollout.Target, ask ask, body []byte) {
	began := g.Clock()
	o := monitor.Observation{ID: g.IDs("cap"), Model: env.Model, Environment: env.Name, Digest: t.Digest, Time: began, Prompt: ask.prompt}
	resp, err := g.Invoker.Invoke(r.Context(), t.Endpoint, body)
	if err != nil && r.Context().Err() != nil {
		return // the caller left before an answer began: that says nothing about the version
	}
	if err != nil {
		o.Failed, o.Status = true, http.StatusBadGateway
		g.record(r.Context(), o)
		g.Logger.Error("invoke endpoint", "endpoint", t.Endpoint, "error", err)
		fail(w, errs.New(errs.Unhealthy, "version %d does not answer", t.Version).Mend("try again"))
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.Header().Set("Perennial-Version", strconv.Itoa(t.Version))
	w.WriteHeader(resp.StatusCode)
	seen, err := copyFlushing(w, resp.Body)
	o.Answer, o.Tokens = read(resp.Header.Get("Content-Type"), seen)
	o.Status, o.Latency = resp.StatusCode, g.Clock().Sub(began)
	o.Failed = resp.StatusCode >= 500 || (err != nil && r.Context().Err() == nil)
	g.record(r.Context(), o)
}

func (g *Gateway) record(ctx context.Context, o monitor.Observation) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := g.Monitor.Record(ctx, o); err != nil {
		g.Logger.Error("record observation", "environment", o.Environment, "error", err)
	}
}

// maxSeen bounds what is kept of an answer for the capture, in bytes.
const maxSeen = 64 << 10

// copyFlushing copies an answer as it comes and gives its first part.
func copyFlushing(w http.ResponseWriter, from io.Reader) ([]byte, error) {
	flush := http.NewResponseController(w)
	buf, seen := make([]byte, 8<<10), []byte(nil)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				return seen, werr
			}
			_ = flush.Flush() // not every writer can flush; the answer still arrives
			seen = append(seen, buf[:min(n, max(0, maxSeen-len(seen)))]...)
		}
		if errors.Is(err, io.EOF) {
			return seen, nil
		}
		if err != nil {
			return seen, err
		}
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone
}
