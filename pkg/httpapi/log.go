package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the first status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts as status 200 when none was set.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the original.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// broken answers a panic, unless the handler only wanted to drop the connection.
func (d Deps) broken(w *recorder, r *http.Request, cause any) {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	err := fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
	noteError(r.Context(), err)
	if w.status == 0 {
		writeProblem(w, r, err)
	}
}

// logRequest writes one line. It names neither headers nor query nor body: secrets travel there.
func (d Deps) logRequest(r *http.Request, q *request, w *recorder, took time.Duration) {
	level := slog.LevelDebug
	attrs := []slog.Attr{
		slog.String("request", q.ID), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", w.status), slog.Int64("ms", took.Milliseconds()),
	}
	if q.Operation != "" {
		attrs, level = append(attrs, slog.String("operation", q.Operation)), slog.LevelInfo
	}
	if q.Principal != nil {
		attrs = append(attrs, slog.String("actor", q.Principal.Actor.ID))
	}
	if q.fault != nil {
		attrs = append(attrs, slog.String("error", q.fault.Error()))
	}
	if w.status >= http.StatusInternalServerError && errs.Is(q.fault, errs.Internal) && r.Context().Err() == nil {
		level = slog.LevelError
	}
	d.Logger.LogAttrs(context.WithoutCancel(r.Context()), level, "request", attrs...)
}
