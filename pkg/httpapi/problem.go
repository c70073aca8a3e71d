package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

// statuses is the one table from error codes to HTTP.
var statuses = map[errs.Code]int{
	errs.Invalid:         http.StatusBadRequest,
	errs.NotFound:        http.StatusNotFound,
	errs.Conflict:        http.StatusConflict,
	errs.Precondition:    http.StatusPreconditionFailed,
	errs.Unauthenticated: http.StatusUnauthorized,
	errs.Forbidden:       http.StatusForbidden,
	errs.Held:            http.StatusLocked,
	errs.Exhausted:       http.StatusTooManyRequests,
	errs.Unavailable:     http.StatusServiceUnavailable,
	errs.GateFailed:      http.StatusConflict,
	errs.Unhealthy:       http.StatusBadGateway,
	errs.Internal:        http.StatusInternalServerError,
}

// statusError is an error whose status is a fact of HTTP that core codes do not have.
type statusError struct {
	status int
	err    *errs.Error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

func withStatus(status int, code errs.Code, format string, args ...any) *statusError {
	return &statusError{status, errs.New(code, format, args...)}
}

func (e *statusError) mend(format string, args ...any) *statusError {
	e.err = e.err.Mend(format, args...)
	return e
}

// waitError is over after a while; the client is told how long.
type waitError struct {
	err     *errs.Error
	seconds int
}

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// problemOf turns an error into what a client may see. Only messages of errs.Error leave the house.
func problemOf(ctx context.Context, err error) *oas.ProblemStatusCodeWithHeaders {
	if f := foreign(err); f != nil {
		err = fmt.Errorf("%w: %w", f, err)
	}
	e := shown(err)
	q := requestOf(ctx)
	status := statusOf(q, err, e)
	p := oas.Problem{
		Type: "urn:perennial:problem:" + strings.ToLower(string(e.Code)), Title: http.StatusText(status), Status: status,
		Code: string(e.Code), Detail: e.Message, RequestId: q.ID, Where: opt(e.Where), Hint: opt(e.Hint), Errors: fields(q, err, e),
		Retryable: e.Code == errs.Unavailable || e.Code == errs.Exhausted || e.Code == errs.Held,
	}
	return &oas.ProblemStatusCodeWithHeaders{StatusCode: status, Response: p, RetryAfter: retryAfter(err, e)}
}

func statusOf(q *request, err error, e *errs.Error) int {
	var s *statusError
	switch {
	case errors.As(err, &s):
		return s.status
	case e.Code == errs.Invalid && isField.MatchString(e.Where) && hasBody(q):
		return http.StatusUnprocessableEntity // a field of a body that could be read
	}
	return statuses[e.Code]
}

// isField tells the name of a field from other places, such as a row of a file.
var isField = regexp.MustCompile(`^/?[A-Za-z][\w/-]*$`)

func hasBody(q *request) bool {
	return q.Method == http.MethodPost || q.Method == http.MethodPut || q.Method == http.MethodPatch
}

func retryAfter(err error, e *errs.Error) oas.OptInt {
	var w *waitError
	switch {
	case errors.As(err, &w):
		return oas.NewOptInt(w.seconds)
	case e.Code == errs.Unavailable:
		return oas.NewOptInt(1)
	}
	return oas.OptInt{}
}

// shown gives the error with words for the client; of a fault of ours it gives no details.
func shown(err error) *errs.Error {
	var e *errs.Error
	if errors.As(err, &e) {
		return e
	}
	return errs.New(errs.Internal, "something went wrong on our side").
		Mend("try again; if it stays, give your administrator the request id")
}

// writeProblem answers an error.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r.Context(), err)
	body, jerr := p.Response.MarshalJSON()
	if jerr != nil {
		body = []byte(`{"code":"Internal"}`)
	}
	noteError(r.Context(), err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	if p.RetryAfter.Set {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter.Value))
	}
	w.WriteHeader(p.StatusCode)
	_, _ = w.Write(append(body, '\n'))
}
