package httpapi_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/identity"
)

// filled gives the path with values for its parameters.
func (o operation) filled() string {
	path := regexp.MustCompile(`\{(number|part)\}`).ReplaceAllString(o.Path, "1")
	path = strings.ReplaceAll(path, "{digest}", strings.Repeat("a", 64))
	path = strings.ReplaceAll(path, "{alias}", "champion")
	return regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "nothing")
}

// may tells what the table of roles says.
func may(roles []identity.Role, permission string) bool {
	return permission == "authenticated" ||
		slices.ContainsFunc(roles, func(r identity.Role) bool { return identity.Allowed(r, identity.Permission(permission)) })
}

func TestGuard_EveryRoleOnEveryRoute(t *testing.T) {
	w := newWorld(t)
	_, ops := readSpec(t)
	checked := 0
	for _, op := range ops {
		if op.ID == "streamEvents" || op.ID == "signOut" {
			continue // does not end; ends the session that is tried with
		}
		for name, roles := range people {
			a := w.call(name, op.Method, op.filled(), "")
			switch {
			case op.Permission == "public" || may(roles, op.Permission):
				require.NotContains(t, []int{401, 403}, a.StatusCode, "%s as %s: %s", op.ID, name, a.body)
			default:
				require.Equal(t, 403, a.StatusCode, "%s as %s: %s", op.ID, name, a.body)
				require.Contains(t, a.problem(t).Detail, op.Permission)
			}
			checked++
		}
	}
	require.Greater(t, checked, 450)
}

func TestGuard_NobodyGetsInWithoutSigningIn(t *testing.T) {
	w := newWorld(t)
	_, ops := readSpec(t)
	for _, op := range ops {
		a := w.call("", op.Method, op.filled(), "")
		if op.Permission == "public" {
			require.NotEqual(t, 403, a.StatusCode, op.ID)
			continue
		}
		require.Equal(t, 401, a.StatusCode, op.ID)
		p := a.problem(t)
		require.Equal(t, "Unauthenticated", p.Code)
		require.Contains(t, p.Hint.Value, "sign in")
	}
}

func TestGuard_AOneTimePasswordOpensOnlyTheChangeOfPassword(t *testing.T) {
	w := newWorld(t)
	_, ops := readSpec(t)
	for _, op := range ops {
		if op.Permission == "public" || op.Permission == "authenticated" {
			continue
		}
		a := w.call("newcomer", op.Method, op.filled(), "")
		require.Equal(t, 403, a.StatusCode, op.ID)
		require.Contains(t, a.problem(t).Hint.Value, "perennial passwd")
	}
	require.Equal(t, 200, w.call("newcomer", "GET", "/v1/me", "").StatusCode)
}

func TestGuard_AKeyMayDoWhatItsScopesSay(t *testing.T) {
	w := newWorld(t)
	_, token, err := w.identity.CreateKey(w.ctx, w.root, identity.NewKey{Name: "ci", Scopes: []identity.Permission{identity.DataRead}})
	require.NoError(t, err)
	auth := []string{"Authorization", "Bearer " + token, "X-Requested-With", ""}
	require.Equal(t, 200, w.call("", "GET", "/v1/datasets", "", auth...).StatusCode)
	require.Equal(t, 403, w.call("", "GET", "/v1/runs", "", auth...).StatusCode)
	require.Equal(t, 403, w.call("", "POST", "/v1/datasets", `{"id":"tickets"}`, auth...).StatusCode)
	var me struct {
		Kind        string
		Permissions []string
	}
	w.call("", "GET", "/v1/me", "", auth...).into(t, &me)
	require.Equal(t, "key", me.Kind)
	require.Equal(t, []string{"data:read"}, me.Permissions)
}

func TestGuard_AKeyForOneEnvironmentCannotActInAnother(t *testing.T) {
	w := newWorld(t)
	w.model()
	_, token, err := w.identity.CreateKey(w.ctx, w.root, identity.NewKey{Name: "staging only", Environments: []string{"staging"},
		Scopes: []identity.Permission{identity.DeploymentsWrite, identity.RollbackWrite}})
	require.NoError(t, err)
	for _, path := range []string{"/v1/models/support/environments/production/rollbacks", "/v1/models/support/environments/production/holds"} {
		a := w.call("", "POST", path, `{"version":1,"reason":"x"}`, "Authorization", "Bearer "+token, "Idempotency-Key", path)
		require.Equal(t, 403, a.StatusCode)
		require.Contains(t, a.problem(t).Detail, "production")
	}
	a := w.call("", "POST", "/v1/releases", `{"model":"support","version":1}`, "Authorization", "Bearer "+token, "Idempotency-Key", "r")
	require.Equal(t, 403, a.StatusCode, "all environments are more than staging")
	a = w.call("", "POST", "/v1/models/support/environments/staging/holds", `{"version":1,"reason":"x"}`, "Authorization", "Bearer "+token)
	require.Equal(t, 201, a.StatusCode, "%s", a.body)
}

func TestGuard_AnotherSiteCannotUseTheCookie(t *testing.T) {
	w := newWorld(t)
	body := `{"id":"tickets"}`
	for name, header := range map[string][]string{
		"no header":    {"X-Requested-With", ""},
		"wrong header": {"X-Requested-With", "XMLHttpRequest"},
	} {
		a := w.call("dan", "POST", "/v1/datasets", body, header...)
		require.Equal(t, 403, a.StatusCode, name)
		require.Equal(t, "X-Requested-With", a.problem(t).Where.Value)
	}
	require.Equal(t, 403, w.call("dan", "POST", "/v1/datasets", body, "Sec-Fetch-Site", "cross-site").StatusCode)
	login := w.call("", "POST", "/v1/session", `{"user":"ana","password":"`+password+`"}`, "Sec-Fetch-Site", "cross-site")
	require.Equal(t, 403, login.StatusCode, "nor sign somebody in as another")
	require.Equal(t, 200, w.call("dan", "GET", "/v1/datasets", "", "X-Requested-With", "").StatusCode, "reading needs no header")
	require.Equal(t, 201, w.call("dan", "POST", "/v1/datasets", body).StatusCode)
}

func TestGuard_SecurityHeadersOnEveryAnswer(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/healthz", "/v1/config", "/v1/nothing", "/v1/me"} {
		a := w.call("", "GET", path, "")
		require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "DENY", a.Header.Get("X-Frame-Options"), path)
		require.Equal(t, "same-origin", a.Header.Get("Referrer-Policy"), path)
		require.Regexp(t, `^req_`, a.Header.Get("X-Request-Id"), path)
		if strings.HasPrefix(path, "/v1") {
			require.Equal(t, "no-store", a.Header.Get("Cache-Control"), path)
		}
	}
	a := w.call("", "GET", "/v1/config", "", "X-Forwarded-Proto", "https")
	require.NotEmpty(t, a.Header.Get("Strict-Transport-Security"))
}
