package httpapi

import (
	"net/http"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// MayInvoke admits callers of the gateway: by API key or token, or by the session cookie together with the
// web app's own header. A key for some environments is held to them.
func MayInvoke(s Sessions) func(*http.Request) error {
	return func(r *http.Request) error {
		token := callerToken(r)
		if token == "" {
			return errs.New(errs.Unauthenticated, "no API key").Mend("send Authorization: Bearer pkey_…; make a key with: perennial keys add")
		}
		who, err := s.Authenticate(r.Context(), token)
		if err != nil {
			return err
		}
		if err := identity.Require(who, identity.GatewayInvoke); err != nil {
			return err
		}
		_, rest, _ := strings.Cut(r.URL.Path, "/gateway/")
		if env, _, _ := strings.Cut(rest, "/"); !who.In(env) {
			return errs.New(errs.Forbidden, "this key is not for environment %q", env)
		}
		return nil
	}
}

func callerToken(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token != "" || r.Header.Get("X-Requested-With") == "" {
		return token
	}
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}
