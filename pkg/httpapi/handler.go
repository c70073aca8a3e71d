package httpapi

import (
	"context"
	"net/http"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

// handler answers the operations, one method each, grouped in files by the spec's tags.
type handler struct {
	Deps
	hosts *hosts
}

var (
	_ oas.Handler         = (*handler)(nil)
	_ oas.RawHandler      = (*handler)(nil)
	_ oas.SecurityHandler = signedIn{}
)

// NewError turns what a method returned into a problem.
func (h *handler) NewError(ctx context.Context, err error) *oas.ProblemStatusCodeWithHeaders {
	noteError(ctx, err)
	return problemOf(ctx, err)
}

// signedIn is the generated server's own check that the guard has let somebody in.
type signedIn struct{}

func (signedIn) ok(ctx context.Context) (context.Context, error) {
	if requestOf(ctx).Principal == nil {
		return ctx, errs.New(errs.Unauthenticated, "nobody is signed in")
	}
	return ctx, nil
}

// HandleBearerKey passes what the guard let through.
func (s signedIn) HandleBearerKey(ctx context.Context, _ oas.OperationName, _ oas.BearerKey) (context.Context, error) {
	return s.ok(ctx)
}

// HandleSessionCookie passes what the guard let through.
func (s signedIn) HandleSessionCookie(ctx context.Context, _ oas.OperationName, _ oas.SessionCookie) (context.Context, error) {
	return s.ok(ctx)
}

func (d Deps) notFound(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, r, errs.New(errs.NotFound, "the API has no %s", r.URL.Path).Mend("see what there is in %s", SpecPath))
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request, allowed string) {
	w.Header().Set("Allow", allowed)
	writeProblem(w, r, withStatus(http.StatusMethodNotAllowed, errs.Invalid, "%s is not possible here", r.Method).mend("use %s", allowed))
}
