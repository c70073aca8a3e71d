package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ogen-go/ogen/ogenerrors"
	"github.com/ogen-go/ogen/validate"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

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
