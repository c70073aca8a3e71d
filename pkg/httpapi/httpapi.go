// Package httpapi is the platform's only way in: the API of openapi.yaml under /v1, the models' gateway,
// and the web app, behind one guard that decides who may do what.
//
// The server and a client are generated from the spec (package oas). Handlers here only translate: the
// rules live in the core, which they reach through the small ports of ports.go.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Deps is what the API needs. Every field without a remark is needed.
type Deps struct {
	Sessions  Sessions
	Users     Users
	Passwords Passwords
	Keys      Keys

	Datasets        Datasets
	DatasetVersions DatasetVersions
	DatasetContents DatasetContents
	Arrivals        Arrivals
	Ingestions      Ingestions
	Rejects         Rejects

	Benchmarks Benchmarks

	Models        Models
	ModelVersions ModelVersions
	Import        Import
	Triggers      Triggers
	GatePolicies  GatePolicies
	Anchors       Anchors
	Lineage       Lineage

	Runs       Runs
	RunActions RunActions
	Steps      Steps
	Logs       Logs
	Metrics    Metrics
	Reports    Reports

	Environments      Environments
	SetupEnvironments SetupEnvironments
	Releases          Releases
	Approvals         Approvals
	Rollbacks         Rollbacks
	Holds             Holds

	Traffic Traffic
	Events  Events
	Trail   Trail

	DeadLetters DeadLetters // nil where nothing consumes the feed

	Objects Objects       // for uploads
	Signer  object.Signer // gives addresses for parts of uploads
	Signed  http.Handler  // takes what is sent to those addresses, at SignedPath; nil = the store does
	Table   table.Table   // for answers to idempotent requests and for uploads in parts
	Clock   ids.Clock
	IDs     ids.Source
	Logger  *slog.Logger

	Place    Place
	Web      fs.FS           // the built web app; nil = none
	Gateway  http.Handler    // serves /gateway/; nil = none
	Stopping <-chan struct{} // closed when the host shuts down, so that streams end; nil = never
	// Heartbeat is the pause between signs of life on an event stream; 0 = 15 seconds.
	Heartbeat time.Duration
}

// Place says what a client must know of the host.
type Place struct {
	Mode     string // "local" or "aws"
	Realtime string // "sse" or "poll"
	Version  string
	// PartBytes is the size of upload parts; 0 = 16 MiB. S3 takes no smaller ones than object.MinPart.
	PartBytes int64
	// DigestBytes is up to which size a joined file can be read for its digest; 0 = any.
	DigestBytes int64
}

const defaultPart = 16 << 20

// SignedPath is where Deps.Signed is served. Addresses below it carry their own authority.
const SignedPath = "/v1/signed-uploads"

// New gives the handler for everything.
func New(d Deps) (http.Handler, error) {
	if err := d.complete(); err != nil {
		return nil, err
	}
	d = d.withDefaults()
	h := &handler{Deps: d, hosts: newHosts(d.Clock)}
	server, err := oas.NewServer(h, h, signedIn{},
		oas.WithErrorHandler(func(_ context.Context, w http.ResponseWriter, r *http.Request, err error) { writeProblem(w, r, err) }),
		oas.WithNotFound(d.notFound), oas.WithMethodNotAllowed(methodNotAllowed))
	if err != nil {
		return nil, fmt.Errorf("api server: %w", err)
	}
	mux := http.NewServeMux()
	api := &guard{deps: d, server: server, once: idempotency{table: d.Table, clock: d.Clock}}
	mux.Handle("/v1/", noStore(conditional(api)))
	mux.HandleFunc(SpecPath, serveSpec)
	mux.HandleFunc("GET /healthz", healthz)
	if d.Signed != nil {
		mux.Handle(SignedPath, noStore(d.Signed))
	}
	if d.Gateway != nil {
		mux.Handle("/gateway/", d.Gateway)
	}
	mux.Handle("/", d.web())
	return d.outermost(mux), nil
}

func (d Deps) withDefaults() Deps {
	if d.Heartbeat == 0 {
		d.Heartbeat = 15 * time.Second
	}
	if d.Place.PartBytes == 0 {
		d.Place.PartBytes = defaultPart
	}
	return d
}

// optional fields of Deps may be nil.
var optional = map[string]bool{"Web": true, "Gateway": true, "Signed": true, "Stopping": true, "DeadLetters": true}

// complete names every needed field that is nil.
func (d Deps) complete() error {
	var missing []error
	v := reflect.ValueOf(d)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch f.Type.Kind() {
		case reflect.Interface, reflect.Func, reflect.Pointer:
			if v.Field(i).IsNil() && !optional[f.Name] {
				missing = append(missing, fmt.Errorf("httpapi: Deps.%s is missing", f.Name))
			}
		}
	}
	return errors.Join(missing...)
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

// noStore keeps answers of the API out of caches, unless a handler says otherwise.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
