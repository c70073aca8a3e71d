package identity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

// reverse is a quick hasher: what matters here is who calls it.
type reverse struct{}

func (reverse) Hash(pw string) (string, error) { return "hash:" + pw, nil }
func (reverse) Verify(hash, pw string) bool    { return hash == "hash:"+pw }

type fixture struct {
	*testing.T
	*identity.Service
	clock *porttest.Clock
	log   *audit.Log
	table table.Table
	root  identity.Principal
}

func open(t *testing.T) *fixture {
	clock := porttest.NewClock()
	tab := porttest.NewMemory(clock.Now)
	newID := ids.Sequence()
	log := audit.NewLog(tab, clock.Now, newID)
	s := identity.NewService(identity.Options{Table: tab, Log: log, Clock: clock.Now, NewID: newID, Hasher: reverse{}})
	return &fixture{T: t, Service: s, clock: clock, log: log, table: tab, root: identity.System("test")}
}

const pass = "a long password"

func (f *fixture) user(login string, roles ...identity.Role) identity.User {
	f.Helper()
	u, once, err := f.CreateUser(f.Context(), f.root, identity.NewUser{Login: login, Password: pass, Roles: roles})
	require.NoError(f, err)
	require.Empty(f, once)
	return u
}

func (f *fixture) signIn(login, pw string) (identity.Session, identity.Principal) {
	f.Helper()
	session, err := f.SignIn(f.Context(), login, pw)
	require.NoError(f, err)
	p, err := f.Authenticate(f.Context(), session.Token)
	require.NoError(f, err)
	return session, p
}

func (f *fixture) code(want errs.Code, err error) {
	f.Helper()
	require.Equal(f, want, errs.CodeOf(err), "%v", err)
}

func TestService_FirstAdmin(t *testing.T) {
	f := open(t)
	once, err := f.FirstAdmin(t.Context())
	require.NoError(t, err)
	require.Len(t, once, 23)
	again, err := f.FirstAdmin(t.Context())
	require.NoError(t, err)
	require.Empty(t, again, "only once")
	_, p := f.signIn("Admin ", once)
	require.True(t, p.MustChange)
	require.True(t, p.May(identity.UsersWrite))

	f.clock.Advance(time.Minute)
	session, err := f.ChangePassword(t.Context(), p, once, pass)
	require.NoError(t, err)
	p, err = f.Authenticate(t.Context(), session.Token)
	require.NoError(t, err)
	require.False(t, p.MustChange)
	_, err = f.SignIn(t.Context(), "admin", once)
	f.code(errs.Unauthenticated, err)
}

func TestService_SignIn(t *testing.T) {
	f := open(t)
	f.user("Ann@Example.com", identity.Viewer)
	session, p := f.signIn("ann@example.com", pass)
	require.Equal(t, audit.Actor{ID: session.User.ID, Name: "ann@example.com"}, p.Actor)
	require.Equal(t, []identity.Role{identity.Viewer}, p.Roles)
	for _, c := range [][2]string{{"ann@example.com", "wrong"}, {"bob", pass}, {"", ""}, {"ann@example.com", strings.Repeat("x", 10000)}} {
		_, err := f.SignIn(t.Context(), c[0], c[1])
		f.code(errs.Unauthenticated, err)
		require.EqualError(t, err, "login or password is wrong")
	}
	for _, token := range []string{"", "x", session.Token + "x", "pst_", "pkey_", "pkey_x.y", "pkey_.y"} {
		_, err := f.Authenticate(t.Context(), token)
		f.code(errs.Unauthenticated, err)
	}
	require.NoError(t, f.SignOut(t.Context(), session.Token))
	require.NoError(t, f.SignOut(t.Context(), session.Token))
	_, err := f.Authenticate(t.Context(), session.Token)
	f.code(errs.Unauthenticated, err)
}

func TestService_SessionsExpire(t *testing.T) {
	f := open(t)
	f.user("ann", identity.Viewer)
	session, _ := f.signIn("ann", pass)
	f.clock.Advance(12 * time.Hour)
	_, err := f.Authenticate(t.Context(), session.Token)
	f.code(errs.Unauthenticated, err)
}

func TestService_GuessingIsSlowedDown(t *testing.T) {
	f := open(t)
	f.user("ann", identity.Viewer)
	for range 10 {
		_, err := f.SignIn(t.Context(), "ann", "wrong")
		f.code(errs.Unauthenticated, err)
	}
	_, err := f.SignIn(t.Context(), "ann", pass)
	f.code(errs.Exhausted, err)
	require.ErrorContains(t, err, "try again after 09:15")
	f.clock.Advance(15 * time.Minute)
	f.signIn("ann", pass)
}

func TestService_CreateUser_RefusesBadInput(t *testing.T) {
	f := open(t)
	f.user("ann", identity.Viewer)
	viewer := []identity.Role{identity.Viewer}
	for name, n := range map[string]identity.NewUser{
		"login": {Login: "a b", Password: pass, Roles: viewer}, "no login": {Password: pass, Roles: viewer},
		"short": {Login: "x", Password: "short", Roles: viewer}, "no role": {Login: "x", Password: pass},
		"role": {Login: "x", Password: pass, Roles: []identity.Role{"root"}}, "same": {Login: "longenough", Password: "LongEnough", Roles: viewer},
	} {
		_, _, err := f.CreateUser(t.Context(), f.root, n)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), name)
	}
	_, _, err := f.CreateUser(t.Context(), f.root, identity.NewUser{Login: "ANN", Password: pass, Roles: viewer})
	f.code(errs.Conflict, err)
	require.ErrorContains(t, err, "ann is taken")
	_, p := f.signIn("ann", pass)
	_, _, err = f.CreateUser(t.Context(), p, identity.NewUser{Login: "x", Password: pass, Roles: viewer})
	f.code(errs.Forbidden, err)
	_, _, err = f.CreateUser(t.Context(), identity.Principal{}, identity.NewUser{Login: "x"})
	f.code(errs.Unauthenticated, err)
}

func TestService_ChangesHoldAtOnce(t *testing.T) {
	f := open(t)
	u := f.user("ann", identity.MLEngineer, identity.MLEngineer, identity.Viewer)
	require.Equal(t, []identity.Role{identity.Viewer, identity.MLEngineer}, u.Roles)
	session, p := f.signIn("ann", pass)
	require.NoError(t, identity.Require(p, identity.RunsWrite))
	_, err := f.SetRoles(t.Context(), f.root, u.ID, []identity.Role{identity.Viewer}, "moved on")
	require.NoError(t, err)
	p, err = f.Authenticate(t.Context(), session.Token)
	require.NoError(t, err)
	require.ErrorContains(t, identity.Require(p, identity.RunsWrite), "ml-engineer, admin")
	u, err = f.Disable(t.Context(), f.root, u.ID, true, "left")
	require.NoError(t, err)
	_, err = f.Authenticate(t.Context(), session.Token)
	f.code(errs.Unauthenticated, err)
	_, err = f.SignIn(t.Context(), "ann", pass)
	f.code(errs.Unauthenticated, err)
	stored, err := f.User(t.Context(), u.ID)
	require.NoError(t, err)
	require.Equal(t, u, stored)
	_, err = f.User(t.Context(), "usr_none")
	f.code(errs.NotFound, err)
}

func TestService_TheLastAdminStays(t *testing.T) {
	f := open(t)
	ann, bob := f.user("ann", identity.Admin), f.user("bob", identity.Admin)
	_, err := f.Disable(t.Context(), f.root, ann.ID, true, "")
	require.NoError(t, err)
	_, err = f.SetRoles(t.Context(), f.root, bob.ID, []identity.Role{identity.Viewer}, "")
	f.code(errs.Conflict, err)
	require.ErrorContains(t, err, "last admin")
	_, err = f.Disable(t.Context(), f.root, ann.ID, false, "")
	require.NoError(t, err)
	_, err = f.Disable(t.Context(), f.root, bob.ID, true, "")
	require.NoError(t, err)
}

func TestService_Passwords(t *testing.T) {
	f := open(t)
	u := f.user("ann", identity.Viewer)
	session, p := f.signIn("ann", pass)
	_, err := f.ChangePassword(t.Context(), p, "wrong", "another password")
	f.code(errs.Invalid, err)
	_, err = f.ChangePassword(t.Context(), p, pass, "short")
	f.code(errs.Invalid, err)
	f.clock.Advance(time.Second)
	once, err := f.ResetPassword(t.Context(), f.root, u.ID, "forgotten")
	require.NoError(t, err)
	_, err = f.Authenticate(t.Context(), session.Token)
	f.code(errs.Unauthenticated, err)
	_, p = f.signIn("ann", once)
	require.True(t, p.MustChange)
	_, err = f.ChangePassword(t.Context(), f.root, once, pass)
	f.code(errs.Forbidden, err)
}

func TestService_Keys(t *testing.T) {
	f := open(t)
	k, token, err := f.CreateKey(t.Context(), f.root, identity.NewKey{
		Name: "shop", Scopes: []identity.Permission{identity.GatewayInvoke}, Environments: []string{"production"}, Life: time.Hour,
	})
	require.NoError(t, err)
	p, err := f.Authenticate(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, audit.Actor{ID: k.ID, Name: "shop"}, p.Actor)
	require.Equal(t, []identity.Permission{identity.GatewayInvoke}, p.Permissions())
	require.True(t, p.In("production"))
	require.False(t, p.In("staging"))
	f.code(errs.Forbidden, identity.Require(p, identity.DataRead))
	_, err = f.Authenticate(t.Context(), token[:len(token)-1])
	f.code(errs.Unauthenticated, err)
	keys, _, err := f.Keys(t.Context(), "", 10)
	require.NoError(t, err)
	require.Equal(t, []identity.Key{k}, keys)

	f.clock.Advance(time.Hour)
	_, err = f.Authenticate(t.Context(), token)
	f.code(errs.Unauthenticated, err)
	_, token, err = f.CreateKey(t.Context(), f.root, identity.NewKey{Name: "b", Scopes: []identity.Permission{identity.DataRead}})
	require.NoError(t, err)
	require.NoError(t, f.RevokeKey(t.Context(), f.root, "key_"+strings.Split(token[5:], ".")[0], "leaked"))
	_, err = f.Authenticate(t.Context(), token)
	f.code(errs.Unauthenticated, err)
	f.code(errs.NotFound, f.RevokeKey(t.Context(), f.root, "key_none", ""))
}

func TestService_CreateKey_NeverGivesMoreThanOneHas(t *testing.T) {
	f := open(t)
	all := []identity.Permission{identity.SettingsWrite, identity.DataRead}
	_, token, err := f.CreateKey(t.Context(), f.root, identity.NewKey{Name: "robot", Scopes: all})
	require.NoError(t, err)
	p, err := f.Authenticate(t.Context(), token)
	require.NoError(t, err)
	_, _, err = f.CreateKey(t.Context(), p, identity.NewKey{Name: "more", Scopes: []identity.Permission{identity.UsersWrite}})
	f.code(errs.Forbidden, err)
	for _, n := range []identity.NewKey{{Name: "x"}, {Scopes: all}, {Name: "x", Scopes: []identity.Permission{"everything"}}, {Name: "x", Scopes: all, Life: -1}} {
		_, _, err = f.CreateKey(t.Context(), f.root, n)
		f.code(errs.Invalid, err)
	}
}

func TestService_KeepsNoSecret(t *testing.T) {
	f := open(t)
	f.user("ann", identity.Admin)
	session, p := f.signIn("ann", pass)
	_, token, err := f.CreateKey(t.Context(), p, identity.NewKey{Name: "k", Scopes: []identity.Permission{identity.DataRead}})
	require.NoError(t, err)
	entries, err := f.log.Entries(context.Background(), 0, 100)
	require.NoError(t, err)
	require.Len(t, entries, 3)
	events, err := f.log.After(t.Context(), 0, 100)
	require.NoError(t, err)
	text := string(audit.JSON(entries)) + string(audit.JSON(events))
	require.NotContains(t, text, pass)
	require.NotContains(t, text, session.Token)
	require.NotContains(t, text, token)
}

func TestAllowed_IsTheTable(t *testing.T) {
	for _, c := range []struct {
		p    identity.Permission
		want string // roles that have it
	}{
		{identity.DataRead, "viewer data-engineer ml-engineer approver admin"},
		{identity.DataWrite, "data-engineer admin"},
		{identity.RunsRead, "viewer data-engineer ml-engineer approver admin"},
		{identity.RunsWrite, "ml-engineer admin"},
		{identity.ModelsRead, "viewer data-engineer ml-engineer approver admin"},
		{identity.ModelsWrite, "ml-engineer admin"},
		{identity.BenchmarksRead, "viewer data-engineer ml-engineer approver admin"},
		{identity.BenchmarksWrite, "ml-engineer admin"},
		{identity.ApprovalsRead, "viewer data-engineer ml-engineer approver admin"},
		{identity.ApprovalsDecide, "approver admin"},
		{identity.DeploymentsRead, "viewer data-engineer ml-engineer approver admin"},
		{identity.DeploymentsWrite, "ml-engineer admin"},
		{identity.RollbackWrite, "ml-engineer approver admin"},
		{identity.MonitoringRead, "viewer data-engineer ml-engineer approver admin"},
		{identity.SettingsRead, "data-engineer ml-engineer approver admin"},
		{identity.SettingsWrite, "admin"},
		{identity.UsersWrite, "admin"},
		{identity.AuditRead, "approver admin"},
		{identity.GatewayInvoke, "data-engineer ml-engineer approver admin"},
	} {
		var roles []string
		for _, r := range identity.Roles {
			if identity.Allowed(r, c.p) {
				roles = append(roles, string(r))
			}
		}
		require.Equal(t, c.want, strings.Join(roles, " "), c.p)
	}
	require.False(t, identity.Allowed("root", identity.DataRead))
	require.Len(t, identity.Permissions, 19)
}
