package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/ogen-go/ogen/ogenerrors"
	"github.com/ogen-go/ogen/validate"

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

// foreign names the faults that are found before a handler runs.
func foreign(err error) *statusError {
	var (
		large  *http.MaxBytesError
		kind   *validate.InvalidContentTypeError
		body   *ogenerrors.DecodeRequestError
		params *ogenerrors.DecodeParamsError
		who    *ogenerrors.SecurityError
	)
	switch {
	case errors.As(err, &large):
		return withStatus(http.StatusRequestEntityTooLarge, errs.Invalid, "the request body is larger than %d bytes", large.Limit).
			mend("send large files in parts: POST /v1/uploads")
	case errors.As(err, &kind):
		return withStatus(http.StatusUnsupportedMediaType, errs.Invalid, "content type %q is not understood here", kind.ContentType).
			mend("send application/json")
	case errors.As(err, &params):
		return paramFault(params)
	case errors.As(err, &who):
		return withStatus(http.StatusUnauthorized, errs.Unauthenticated, "nobody is signed in").mend("sign in, or send Authorization: Bearer pkey_…")
	case errors.As(err, &body):
		return bodyFault(body)
	}
	return nil
}

func paramFault(err *ogenerrors.DecodeParamsError) *statusError {
	f := withStatus(http.StatusBadRequest, errs.Invalid, "%s", words(err.Err))
	var p *ogenerrors.DecodeParamError
	if errors.As(err, &p) {
		f.err = errs.New(errs.Invalid, "%s: %s", p.Name, people(p.Err)).At(p.Name)
	}
	return f
}

func bodyFault(err *ogenerrors.DecodeRequestError) *statusError {
	var invalid *validate.Error
	if errors.As(err, &invalid) {
		wrong := flatten("", invalid)
		more := ""
		if len(wrong) > 1 {
			more = fmt.Sprintf(", and %d more", len(wrong)-1)
		}
		return withStatus(http.StatusUnprocessableEntity, errs.Invalid, "%s: %s%s", wrong[0].Pointer, wrong[0].Detail, more)
	}
	if errors.Is(err, validate.ErrBodyRequired) {
		return withStatus(http.StatusBadRequest, errs.Invalid, "the body is missing").mend("send JSON")
	}
	return withStatus(http.StatusBadRequest, errs.Invalid, "the body cannot be read: %s", words(err.Err)).
		mend("see what is expected in %s", SpecPath)
}

// words gives ogen's message without the names of its own functions.
func words(err error) string {
	s := err.Error()
	for _, noise := range []string{"decode application/json: ", "decode params: ", "decode request: ", "callback: ", "validate: "} {
		s = strings.ReplaceAll(s, noise, "")
	}
	return s
}

// fields lists the places of the fault in the body or parameters.
func fields(q *request, err error, e *errs.Error) []oas.ProblemField {
	var invalid *validate.Error
	if errors.As(err, &invalid) {
		return flatten("", invalid)
	}
	if e.Code != errs.Invalid || !isField.MatchString(e.Where) {
		return nil
	}
	where := e.Where
	if hasBody(q) && !strings.HasPrefix(where, "/") {
		where = "/" + where
	}
	return []oas.ProblemField{{Pointer: where, Detail: e.Message}}
}

func flatten(at string, invalid *validate.Error) []oas.ProblemField {
	var out []oas.ProblemField
	for _, f := range invalid.Fields {
		where := at + "/" + strings.NewReplacer("[", "", "]", "").Replace(f.Name)
		var inner *validate.Error
		if errors.As(f.Error, &inner) {
			out = append(out, flatten(where, inner)...)
			continue
		}
		out = append(out, oas.ProblemField{Pointer: where, Detail: people(f.Error)})
	}
	return out
}

// patterns says in words what the spec's patterns ask for.
var patterns = map[string]string{
	`\S`:                             "must not be blank",
	`^[a-z][a-z0-9-]{1,38}[a-z0-9]$`: "must be 3 to 40 lower-case letters, digits and dashes, beginning with a letter",
	`^[0-9a-f]{64}$`:                 "must be a SHA-256 in 64 hex digits",
	`^(sha256:)?[0-9a-f]{64}$`:       "must be sha256: and 64 hex digits",
	`^[A-Za-z]+:.+$`:                 "must be type:id, such as modelVersion:support@3",
	`/$`:                             "must end in a slash",
}

// people gives a fault found by the generated validation in words.
func people(err error) string {
	s := words(err)
	if _, pattern, ok := strings.Cut(s, "no regex match: "); ok && patterns[pattern] != "" {
		return patterns[pattern]
	}
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s, "string: "), "int: "), "array: ")
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
