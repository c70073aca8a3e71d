package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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

// problemOf turns an error into what a client may see. Only messages of errs.Error leave the house.
func problemOf(ctx context.Context, err error) (int, oas.Problem) {
	if f := foreign(err); f != nil {
		err = fmt.Errorf("%w: %w", f, err)
	}
	e := shown(err)
	status := statuses[e.Code]
	var s *statusError
	switch {
	case errors.As(err, &s):
		status = s.status
	case e.Code == errs.Invalid && e.Where != "": // a field of a body that could be read
		status = http.StatusUnprocessableEntity
	}
	p := oas.Problem{
		Type: "urn:perennial:problem:" + strings.ToLower(string(e.Code)), Title: http.StatusText(status), Status: status,
		Code: string(e.Code), Detail: e.Message, RequestId: requestOf(ctx).ID, Errors: fields(err, e),
		Retryable: e.Code == errs.Unavailable || e.Code == errs.Exhausted || e.Code == errs.Held,
	}
	if e.Where != "" {
		p.Where = oas.NewOptString(e.Where)
	}
	if e.Hint != "" {
		p.Hint = oas.NewOptString(e.Hint)
	}
	return status, p
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
		f.err = errs.New(errs.Invalid, "%s", words(p.Err)).At(p.Name)
	}
	return f
}

func bodyFault(err *ogenerrors.DecodeRequestError) *statusError {
	var invalid *validate.Error
	if errors.As(err, &invalid) {
		return withStatus(http.StatusUnprocessableEntity, errs.Invalid, "the body is not valid: %s", invalid.Error())
	}
	if errors.Is(err, validate.ErrBodyRequired) {
		return withStatus(http.StatusBadRequest, errs.Invalid, "the body is missing").mend("send JSON")
	}
	return withStatus(http.StatusBadRequest, errs.Invalid, "the body cannot be read: %s", words(err.Err)).
		mend("send what the API description says: pkg/httpapi/openapi.yaml")
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
func fields(err error, e *errs.Error) []oas.ProblemField {
	var invalid *validate.Error
	if errors.As(err, &invalid) {
		return flatten("", invalid)
	}
	if e.Code == errs.Invalid && e.Where != "" {
		return []oas.ProblemField{{Pointer: e.Where, Detail: e.Message}}
	}
	return nil
}

func flatten(at string, invalid *validate.Error) []oas.ProblemField {
	var out []oas.ProblemField
	for _, f := range invalid.Fields {
		name := strings.NewReplacer("[", "/", "]", "").Replace(strings.Trim(f.Name, "[]"))
		where := at + "/" + name
		var inner *validate.Error
		if errors.As(f.Error, &inner) {
			out = append(out, flatten(where, inner)...)
			continue
		}
		out = append(out, oas.ProblemField{Pointer: where, Detail: f.Error.Error()})
	}
	return out
}

// writeProblem answers an error.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	status, p := problemOf(r.Context(), err)
	body, jerr := p.MarshalJSON()
	if jerr != nil {
		body, _ = json.Marshal(map[string]any{"status": status, "detail": p.Detail})
	}
	noteError(r.Context(), err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "%s\n", body)
}
