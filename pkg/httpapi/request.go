package httpapi

import (
	"context"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// request is what the guard knows of a request; handlers find it in the context.
type request struct {
	ID        string
	Method    string
	Operation string
	Principal *identity.Principal // nil = nobody is signed in
	Token     string              // of the session or key
	Cookie    bool                // the token came in the session cookie
	Secure    bool                // came by https
	Address   string              // of the client, without port
	Key       string              // idempotency key, made unique per caller and operation; empty = none
	fault     error               // what went wrong, for the log
}

type requestKey struct{}

func withRequest(ctx context.Context, q *request) context.Context {
	return context.WithValue(ctx, requestKey{}, q)
}

// requestOf gives the request of a context; an empty one outside of a request.
func requestOf(ctx context.Context) *request {
	if q, ok := ctx.Value(requestKey{}).(*request); ok {
		return q
	}
	return &request{}
}

// actor gives who makes the request.
func actor(ctx context.Context) audit.Actor {
	if p := requestOf(ctx).Principal; p != nil {
		return p.Actor
	}
	return audit.Actor{}
}

func noteError(ctx context.Context, err error) { requestOf(ctx).fault = err }
