package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"

	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/identity"
)

func cookieOf(t *testing.T, a answer) *http.Cookie {
	t.Helper()
	for _, c := range a.Cookies() {
		if c.Name == httpapi.SessionCookie {
			return c
		}
	}
	require.Fail(t, "no session cookie")
	return nil
}

func TestSession_SignInGivesACookieThatScriptsCannotRead(t *testing.T) {
	w := newWorld(t)
	a := w.call("", "POST", "/v1/session", `{"user":"ana","password":"`+password+`"}`)
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	c := cookieOf(t, a)
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.False(t, c.Secure, "plain http on one machine")
	require.Equal(t, int((12 * time.Hour).Seconds()), c.MaxAge)
	require.NotContains(t, string(a.body), c.Value, "the token is in the cookie only")

	a = w.call("", "POST", "/v1/session", `{"user":"ana","password":"`+password+`"}`, "X-Forwarded-Proto", "https")
	require.True(t, cookieOf(t, a).Secure)
	w.sessions["new"] = c.Value
	var me struct {
		Name        string
		Roles       []string
		Permissions []string
	}
	w.call("new", "GET", "/v1/me", "").into(t, &me)
	require.Equal(t, "ana", me.Name)
	require.Equal(t, []string{"data-engineer", "ml-engineer"}, me.Roles)
	require.Contains(t, me.Permissions, "runs:write")
	require.NotContains(t, me.Permissions, "approvals:decide")
}

func TestSession_SignOutEndsIt(t *testing.T) {
	w := newWorld(t)
	a := w.call("ana", "DELETE", "/v1/session", "")
	require.Equal(t, 204, a.StatusCode)
	require.Negative(t, cookieOf(t, a).MaxAge)
	require.Equal(t, 401, w.call("ana", "GET", "/v1/me", "").StatusCode)
}

func TestSession_WrongPasswordAndUnknownUserLookAlike(t *testing.T) {
	w := newWorld(t)
	wrong := w.call("", "POST", "/v1/session", `{"user":"ana","password":"wrong"}`).problem(t)
	unknown := w.call("", "POST", "/v1/session", `{"user":"nobody","password":"wrong"}`).problem(t)
	require.Equal(t, 401, wrong.Status)
	wrong.RequestId, unknown.RequestId = "", ""
	require.Equal(t, wrong, unknown)
}

func TestSession_GuessingIsSlowedDownPerNameAndPerAddress(t *testing.T) {
	w := newWorld(t)
	guess := func(user string) answer {
		return w.call("", "POST", "/v1/session", fmt.Sprintf(`{"user":%q,"password":"wrong"}`, user))
	}
	for range 10 {
		require.Equal(t, 401, guess("ana").StatusCode)
	}
	require.Equal(t, 429, guess("ana").StatusCode)
	require.Equal(t, 429, w.call("", "POST", "/v1/session", `{"user":"ana","password":"`+password+`"}`).StatusCode, "not even the right one")
	for i := range 40 {
		require.Equal(t, 401, guess(fmt.Sprintf("name%d", i)).StatusCode)
	}
	a := guess("another")
	p := a.problem(t)
	require.Equal(t, 429, p.Status)
	require.True(t, p.Retryable)
	require.Equal(t, "300", a.Header.Get("Retry-After"))
	w.clock.Advance(16 * time.Minute)
	require.Equal(t, 200, w.call("", "POST", "/v1/session", `{"user":"ana","password":"`+password+`"}`).StatusCode)
}

func TestSession_TheOneTimePasswordIsChangedAndOtherSessionsEnd(t *testing.T) {
	w := newWorld(t)
	var made struct {
		User            struct{ ID string }
		OneTimePassword string
	}
	w.call("root", "POST", "/v1/users", `{"login":"eve","roles":["approver"]}`).into(t, &made)
	w.signIn("eve", made.OneTimePassword)
	require.Equal(t, 403, w.call("eve", "GET", "/v1/approvals", "").StatusCode)

	w.clock.Advance(time.Second)
	a := w.call("eve", "PUT", "/v1/me/password", `{"current":"`+made.OneTimePassword+`","new":"a better password"}`)
	require.Equal(t, 204, a.StatusCode, "%s", a.body)
	require.Equal(t, 401, w.call("eve", "GET", "/v1/approvals", "").StatusCode, "the old session ended")
	w.sessions["eve"] = cookieOf(t, a).Value
	require.Equal(t, 200, w.call("eve", "GET", "/v1/approvals", "").StatusCode)

	require.Equal(t, 200, w.call("root", "POST", "/v1/users/"+made.User.ID+"/disable", `{"reason":"left the company"}`).StatusCode)
	require.Equal(t, 401, w.call("eve", "GET", "/v1/approvals", "").StatusCode, "shut out at once")
	require.Equal(t, 200, w.call("root", "POST", "/v1/users/"+made.User.ID+"/enable", `{"reason":"came back"}`).StatusCode)
}

func TestSession_SecretsNeverReachTheLog(t *testing.T) {
	w := newWorld(t)
	a := w.call("", "POST", "/v1/session", `{"user":"ana","password":"`+password+`"}`)
	session := cookieOf(t, a).Value
	var key struct{ Token string }
	w.call("root", "POST", "/v1/keys", `{"name":"ci","scopes":["data:read"]}`).into(t, &key)
	var user struct{ OneTimePassword string }
	w.call("root", "POST", "/v1/users", `{"login":"eve","roles":["viewer"]}`).into(t, &user)
	w.call("", "GET", "/v1/datasets", "", "Authorization", "Bearer "+key.Token)
	w.call("", "GET", "/v1/datasets", "", "Authorization", "Bearer "+key.Token+"x")
	w.call("", "POST", "/v1/session", `{"user":"ana","password":"hunter2 hunter2"}`)
	w.call("ana", "PUT", "/v1/me/password", `{"current":"hunter2 hunter2","new":"short"}`)
	w.call("ana", "GET", "/v1/datasets?token=in-the-query", "")
	logs := w.logs.String()
	require.Contains(t, logs, `"operation":"signIn"`)
	require.Contains(t, logs, `"actor":"usr_`)
	for _, secret := range []string{password, session, key.Token, user.OneTimePassword, "hunter2", "in-the-query", "perennial_session"} {
		require.NotContains(t, logs, secret)
	}
	all, err := w.events.After(w.ctx, 0, 1000)
	require.NoError(t, err)
	require.NotContains(t, string(audit.JSON(all)), key.Token)
	require.NotContains(t, string(audit.JSON(all)), user.OneTimePassword)
}

func TestSession_AFaultOfOursIsLoggedAndNotShown(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.Sessions = panicking{d.Sessions} })
	a := w.call("ana", "GET", "/v1/me", "")
	p := a.problem(t)
	require.Equal(t, 500, p.Status)
	require.NotContains(t, string(a.body), "boom")
	require.Contains(t, w.logs.String(), "boom")
	require.Contains(t, w.logs.String(), p.RequestId)
}

type panicking struct{ httpapi.Sessions }

func (panicking) Authenticate(context.Context, string) (identity.Principal, error) { panic("boom") }
