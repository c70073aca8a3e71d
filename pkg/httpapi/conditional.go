package httpapi

import (
	_ "embed"
	"net/http"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// conditional answers 304 when the caller has what it asks for already, told by If-None-Match.
func conditional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if have := r.Header.Get("If-None-Match"); have != "" && r.Method == http.MethodGet {
			w = &unchanged{ResponseWriter: w, have: strings.Split(have, ",")}
		}
		next.ServeHTTP(w, r)
	})
}

// unchanged drops the body of an answer whose ETag the caller has.
type unchanged struct {
	http.ResponseWriter
	have []string
	drop bool
}

// WriteHeader turns 200 into 304 where the ETag is known.
func (u *unchanged) WriteHeader(status int) {
	tag := u.Header().Get("ETag")
	known := func(have string) bool { return strings.TrimPrefix(strings.TrimSpace(have), "W/") == tag }
	if status == http.StatusOK && tag != "" && slices.ContainsFunc(u.have, known) {
		u.drop, status = true, http.StatusNotModified
		u.Header().Del("Content-Type")
	}
	u.ResponseWriter.WriteHeader(status)
}

// Write drops or passes a part of the body.
func (u *unchanged) Write(p []byte) (int, error) {
	if u.drop {
		return len(p), nil
	}
	return u.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the original.
func (u *unchanged) Unwrap() http.ResponseWriter { return u.ResponseWriter }

//go:embed openapi.yaml
var openapi []byte

// SpecPath is where a host describes its API.
const SpecPath = "/v1/openapi.yaml"

func serveSpec(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		methodNotAllowed(w, r, "GET, HEAD")
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(openapi)
}

// crossSite refuses what another site's page sends, also where nobody is signed in yet.
func crossSite(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Header.Get("Sec-Fetch-Site") != "cross-site" {
		return nil
	}
	return errs.New(errs.Forbidden, "the request comes from a page of another site").Mend("use this platform's own web app")
}
