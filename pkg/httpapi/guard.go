package httpapi

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// Operation is what one operation of the API asks of its caller; see the x- fields of openapi.yaml.
type Operation struct {
	Permission string // a permission, or one of the two below
	IfMatch    bool   // wants If-Match
	Idempotent bool   // wants Idempotency-Key
}

// Permissions that are none.
const (
	public        = "public"        // anybody
	authenticated = "authenticated" // anybody who is signed in
)

// SessionCookie is the name of the cookie that carries a session.
const SessionCookie = "perennial_session"

// bodyLimits are in bytes; all other operations have defaultBody.
var bodyLimits = map[string]int64{
	"createBenchmark": 64 << 20,
	"uploadFile":      16 << 30,
	"putUploadPart":   256 << 20,
}

const defaultBody = 1 << 20

// guard is the one place that decides who may do what. It stands before the generated server, so that a
// caller without the right learns nothing from validation.
type guard struct {
	deps   Deps
	server *oas.Server
	once   idempotency
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, found := g.server.FindPath(r.Method, r.URL)
	if !found {
		g.server.ServeHTTP(w, r) // answers 404 or 405
		return
	}
	q := requestOf(r.Context())
	q.Operation = route.OperationID()
	op := Operations[q.Operation]
	if err := g.admit(r, op); err != nil {
		writeProblem(w, r, err)
		return
	}
	limit := bodyLimits[q.Operation]
	if limit == 0 {
		limit = defaultBody
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if op.Idempotent {
		g.once.serve(w, r, g.server)
		return
	}
	g.server.ServeHTTP(w, r)
}

// admit checks origin, identity, permission, forgery and preconditions, in this order.
func (g *guard) admit(r *http.Request, op Operation) error {
	if err := crossSite(r); err != nil || op.Permission == public {
		return err
	}
	q := requestOf(r.Context())
	if err := g.authenticate(r, q); err != nil {
		return err
	}
	if err := permit(*q.Principal, op.Permission); err != nil {
		return err
	}
	if err := forged(r, q); err != nil {
		return err
	}
	return preconditions(r, op)
}

// authenticate finds who asks: a bearer key, else the session of the cookie.
func (g *guard) authenticate(r *http.Request, q *request) error {
	token, err := tokenOf(r)
	if err != nil {
		return err
	}
	p, err := g.deps.Sessions.Authenticate(r.Context(), token)
	if err != nil {
		return err
	}
	q.Principal, q.Token = &p, token
	q.Cookie = r.Header.Get("Authorization") == ""
	return nil
}

func tokenOf(r *http.Request) (string, error) {
	if auth := r.Header.Get("Authorization"); auth != "" {
		scheme, token, _ := strings.Cut(auth, " ")
		if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
			return "", errs.New(errs.Unauthenticated, "the Authorization header is not a bearer key").
				Mend("send Authorization: Bearer pkey_…")
		}
		return token, nil
	}
	cookie, err := r.Cookie(SessionCookie)
	if err != nil || cookie.Value == "" {
		return "", errs.New(errs.Unauthenticated, "nobody is signed in").Mend("sign in, or send Authorization: Bearer pkey_…")
	}
	return cookie.Value, nil
}

// permit tells whether the caller has the permission. Whoever must change the password may do nothing else.
func permit(p identity.Principal, permission string) error {
	if permission == authenticated {
		return nil
	}
	if p.MustChange {
		return errs.New(errs.Forbidden, "the one-time password must be changed first").Mend("choose your own with: perennial passwd, or in the web app")
	}
	return identity.Require(p, identity.Permission(permission))
}

// forged refuses requests that another site may have made with the browser's cookie.
func forged(r *http.Request, q *request) error {
	if !q.Cookie || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if r.Header.Get("X-Requested-With") != "perennial" {
		return errs.New(errs.Forbidden, "the request does not come from the web app").At("X-Requested-With").
			Mend("send X-Requested-With: perennial together with the session cookie")
	}
	return nil
}

func preconditions(r *http.Request, op Operation) error {
	if op.IfMatch && r.Header.Get("If-Match") == "" {
		return withStatus(http.StatusPreconditionRequired, errs.Precondition, "the If-Match header is missing").
			mend("load the record and send its ETag, so that nobody's change is lost")
	}
	if op.IfMatch {
		if _, err := revision(r.Header.Get("If-Match")); err != nil {
			return err
		}
	}
	if op.Idempotent && strings.TrimSpace(r.Header.Get("Idempotency-Key")) == "" {
		return withStatus(http.StatusPreconditionRequired, errs.Precondition, "the Idempotency-Key header is missing").
			mend("send a name of your own for this request, such as a UUID, and the same one when you try again")
	}
	return nil
}

// outermost gives every request an id, the security headers and a log line, and turns a panic into a problem.
func (d Deps) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		q := &request{ID: d.IDs("req"), Method: r.Method, Address: address(r), Secure: secure(r)}
		r = r.WithContext(withRequest(r.Context(), q))
		securityHeaders(w.Header(), q)
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				d.broken(rec, r, cause)
			}
			d.logRequest(r, q, rec, time.Since(began))
		}()
		next.ServeHTTP(rec, r)
	})
}

func securityHeaders(h http.Header, q *request) {
	h.Set("X-Request-Id", q.ID)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if q.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

func secure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
