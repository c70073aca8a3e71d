package identity_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// pool is a directory in memory. Its tokens are "who.seconds.x".
type pool struct {
	clock    func() time.Time
	accounts map[string]*account // by subject, "s-<name>"
	down     error
}

type account struct {
	identity.Account
	password string
	once     bool
}

var _ identity.Directory = (*pool)(nil)

func (p *pool) claims(subject string, issued time.Time) identity.Claims {
	a := p.accounts[subject]
	return identity.Claims{Subject: subject, Login: a.Login, Name: a.Name, Roles: a.Roles, Once: a.once, Issued: issued}
}

func (p *pool) SignIn(_ context.Context, login, pw string) (identity.Claims, error) {
	a := p.accounts[subjectOf(login)]
	if p.down != nil || a == nil || a.password != pw || a.Disabled {
		return identity.Claims{}, or(p.down, errs.New(errs.Unauthenticated, "no"))
	}
	return p.claims(subjectOf(login), p.clock()), nil
}

func (p *pool) Verify(_ context.Context, token string) (identity.Claims, error) {
	part := strings.Split(token, ".")
	if p.down != nil || p.accounts[part[0]] == nil {
		return identity.Claims{}, or(p.down, errs.New(errs.Unauthenticated, "no"))
	}
	var seconds int64
	_, err := fmt.Sscan(part[1], &seconds)
	return p.claims(part[0], time.Unix(seconds, 0)), err
}

func (p *pool) token(subject string) string { return fmt.Sprintf("%s.%d.x", subject, p.clock().Unix()) }

func (p *pool) Put(_ context.Context, a identity.Account) (string, error) {
	if p.down != nil {
		return "", p.down
	}
	subject := subjectOf(a.Login)
	if p.accounts[subject] == nil {
		p.accounts[subject] = &account{}
	}
	p.accounts[subject].Account = a
	return subject, nil
}

func (p *pool) SetPassword(_ context.Context, subject, pw string, once bool) error {
	if p.down != nil {
		return p.down
	}
	p.accounts[subject].password, p.accounts[subject].once = pw, once
	return nil
}

func or(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// company is a platform whose people are in a directory: root is an admin there, whom nobody made here.
func company(t *testing.T) (*fixture, identity.Members, *pool) {
	f := open(t)
	p := &pool{clock: f.clock.Now, accounts: map[string]*account{
		"s-root": {Account: identity.Account{Login: "root@x.eu", Name: "Root", Roles: []identity.Role{identity.Admin}}, password: "welcome-1", once: true},
	}}
	return f, identity.Members{Service: f.Service, Directory: p}, p
}

func TestMembers_TheFirstAdminJoinsAndChoosesAPassword(t *testing.T) {
	f, m, p := company(t)
	session, err := m.SignIn(t.Context(), " Root@x.eu", "welcome-1")
	require.NoError(t, err)
	who, err := m.Authenticate(t.Context(), session.Token)
	require.NoError(t, err)
	require.True(t, who.MustChange)
	require.Equal(t, "usr_s-root", who.Actor.ID)
	f.clock.Advance(time.Minute)
	_, err = m.ChangePassword(t.Context(), who, "wrong", pass)
	f.code(errs.Invalid, err)
	_, err = m.ChangePassword(t.Context(), who, "welcome-1", "short")
	f.code(errs.Invalid, err)
	session, err = m.ChangePassword(t.Context(), who, "welcome-1", pass)
	require.NoError(t, err)
	require.Equal(t, pass, p.accounts["s-root"].password)
	who, err = m.Authenticate(t.Context(), session.Token)
	require.NoError(t, err)
	require.False(t, who.MustChange)
	require.True(t, who.May(identity.UsersWrite))
}

func TestMembers_SignIn_Refuses(t *testing.T) {
	f, m, p := company(t)
	for name, pw := range map[string]string{"root@x.eu": "wrong", "nobody@x.eu": "welcome-1", "": "", "root@x.eu ": strings.Repeat("x", 300)} {
		_, err := m.SignIn(t.Context(), name, pw)
		f.code(errs.Unauthenticated, err)
	}
	p.accounts["s-ann"] = &account{Account: identity.Account{Login: "ann@x.eu"}, password: pass}
	_, err := m.SignIn(t.Context(), "ann@x.eu", pass)
	f.code(errs.Forbidden, err)
	require.ErrorContains(t, err, "no role")
	for range 10 {
		_, _ = m.SignIn(t.Context(), "root@x.eu", "wrong")
	}
	_, err = m.SignIn(t.Context(), "root@x.eu", "welcome-1")
	f.code(errs.Exhausted, err)
	p.down = errs.New(errs.Unavailable, "the directory does not answer")
	_, err = m.SignIn(t.Context(), "ben@x.eu", pass)
	f.code(errs.Unavailable, err)
	_, err = m.Authenticate(t.Context(), "a.b.c")
	f.code(errs.Unavailable, err)
}

func TestMembers_CreateUser(t *testing.T) {
	f, m, p := company(t)
	u, once, err := m.CreateUser(t.Context(), f.root, identity.NewUser{Login: "Ann@x.eu", Name: "Ann", Roles: []identity.Role{identity.Approver}})
	require.NoError(t, err)
	require.Equal(t, account{Account: identity.Account{Login: "ann@x.eu", Name: "Ann", Roles: []identity.Role{identity.Approver}},
		password: once, once: true}, *p.accounts["s-ann"])
	session, err := m.SignIn(t.Context(), "ann@x.eu", once)
	require.NoError(t, err)
	require.Equal(t, u.ID, session.User.ID)
	require.True(t, session.User.MustChange)
	_, _, err = m.CreateUser(t.Context(), f.root, identity.NewUser{Login: "ann@x.eu", Roles: []identity.Role{identity.Viewer}})
	f.code(errs.Conflict, err)
	require.Equal(t, []identity.Role{identity.Approver}, p.accounts["s-ann"].Roles, "the directory was not touched")
	_, _, err = m.CreateUser(t.Context(), session.User.Principal(), identity.NewUser{Login: "eve@x.eu", Roles: []identity.Role{identity.Admin}})
	f.code(errs.Forbidden, err)
}

// A directory that fails half-way leaves nothing that trying again does not mend.
func TestMembers_CreateUser_AgainAfterTheDirectoryFailed(t *testing.T) {
	f, m, p := company(t)
	n := identity.NewUser{Login: "ann@x.eu", Roles: []identity.Role{identity.Viewer}}
	p.down = errs.New(errs.Unavailable, "down")
	_, _, err := m.CreateUser(t.Context(), f.root, n)
	f.code(errs.Unavailable, err)
	p.down = nil
	_, err = p.Put(t.Context(), identity.Account{Login: "ann@x.eu"}) // had been done
	require.NoError(t, err)
	_, once, err := m.CreateUser(t.Context(), f.root, n)
	require.NoError(t, err)
	_, err = m.SignIn(t.Context(), "ann@x.eu", once)
	require.NoError(t, err)
}

func TestMembers_ChangesHoldAtOnceAndReachTheDirectory(t *testing.T) {
	f, m, p := company(t)
	u, _, err := m.CreateUser(t.Context(), f.root, identity.NewUser{Login: "ann@x.eu", Password: pass, Roles: []identity.Role{identity.Viewer}})
	require.NoError(t, err)
	f.clock.Advance(time.Minute)
	session, err := m.SignIn(t.Context(), "ann@x.eu", pass)
	require.NoError(t, err)
	token := p.token("s-ann")
	roles := func(token string) []identity.Role {
		who, err := m.Authenticate(t.Context(), token)
		require.NoError(t, err)
		return who.Roles
	}
	require.Equal(t, []identity.Role{identity.Viewer}, roles(token))

	before := *p.accounts["s-ann"]
	_, err = m.SetRoles(t.Context(), f.root, u.ID, []identity.Role{identity.Approver}, "promoted")
	require.NoError(t, err)
	require.Equal(t, []identity.Role{identity.Approver}, p.accounts["s-ann"].Roles)
	require.Equal(t, []identity.Role{identity.Approver}, roles(session.Token))
	*p.accounts["s-ann"] = before
	require.Equal(t, []identity.Role{identity.Approver}, roles(token), "a token from before does not bring the old roles back")

	f.clock.Advance(time.Minute)
	p.accounts["s-ann"].Roles = []identity.Role{identity.DataEngineer}
	require.Equal(t, []identity.Role{identity.DataEngineer}, roles(p.token("s-ann")), "the directory's newer word counts")
	require.Equal(t, []identity.Role{identity.DataEngineer}, roles(session.Token))

	once, err := m.ResetPassword(t.Context(), f.root, u.ID, "forgotten")
	require.NoError(t, err)
	for _, old := range []string{session.Token, token} {
		_, err = m.Authenticate(t.Context(), old)
		f.code(errs.Unauthenticated, err)
	}
	f.clock.Advance(time.Minute)
	session, err = m.SignIn(t.Context(), "ann@x.eu", once)
	require.NoError(t, err)
	require.True(t, session.User.MustChange)

	token = p.token("s-ann")
	_, err = m.Disable(t.Context(), f.root, u.ID, true, "left")
	require.NoError(t, err)
	require.True(t, p.accounts["s-ann"].Disabled)
	for _, old := range []string{session.Token, token} {
		_, err = m.Authenticate(t.Context(), old)
		f.code(errs.Unauthenticated, err)
	}
	p.accounts["s-ann"].Disabled = false // in the directory only
	_, err = m.SignIn(t.Context(), "ann@x.eu", once)
	f.code(errs.Unauthenticated, err)
}

func TestMembers_WhoLosesAllGroupsMayNothing(t *testing.T) {
	f, m, p := company(t)
	_, _, err := m.CreateUser(t.Context(), f.root, identity.NewUser{Login: "ann@x.eu", Password: pass, Roles: []identity.Role{identity.Viewer}})
	require.NoError(t, err)
	session, err := m.SignIn(t.Context(), "ann@x.eu", pass)
	require.NoError(t, err)
	f.clock.Advance(time.Minute)
	p.accounts["s-ann"].Roles = nil
	_, err = m.SignIn(t.Context(), "ann@x.eu", pass)
	f.code(errs.Forbidden, err)
	who, err := m.Authenticate(t.Context(), session.Token)
	require.NoError(t, err)
	require.Empty(t, who.Permissions())
}

func TestMembers_Authenticate_PassesKeysAndSessionsOn(t *testing.T) {
	f, m, _ := company(t)
	_, token, err := m.CreateKey(t.Context(), f.root, identity.NewKey{Name: "ci", Scopes: []identity.Permission{identity.GatewayInvoke}})
	require.NoError(t, err)
	who, err := m.Authenticate(t.Context(), token)
	require.NoError(t, err)
	require.True(t, who.May(identity.GatewayInvoke))
	_, err = m.Authenticate(t.Context(), "pst_none")
	f.code(errs.Unauthenticated, err)
}

// An account that was made again in the directory is another person, who has the login from now on.
func TestMembers_ALoginCanComeBackWithAnotherSubject(t *testing.T) {
	f, m, p := company(t)
	old, _, err := m.CreateUser(t.Context(), f.root, identity.NewUser{Login: "ann@x.eu", Password: pass, Roles: []identity.Role{identity.Viewer}})
	require.NoError(t, err)
	p.accounts["s-2"] = p.accounts["s-ann"]
	delete(p.accounts, "s-ann")
	who, err := m.Authenticate(t.Context(), p.token("s-2"))
	require.NoError(t, err)
	require.NotEqual(t, old.ID, who.Actor.ID)
}

func TestRolesOf(t *testing.T) {
	require.Equal(t, []identity.Role{identity.Viewer, identity.Admin}, identity.RolesOf([]string{"admin", "eu-west_google", "viewer", "Admin", "admin"}))
	require.Equal(t, []identity.Role{}, identity.RolesOf([]string{"root", ""}))
}

func subjectOf(login string) string {
	name, _, _ := strings.Cut(login, "@")
	return "s-" + name
}
