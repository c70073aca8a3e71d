package identity

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Members are the accounts of people whom a directory knows. It checks passwords and tokens; sessions, the
// audit trail and what people may do are the platform's own, so that a change holds at once.
type Members struct {
	*Service
	Directory Directory
}

// SignIn opens a session. Who signs in for the first time joins with the roles of the directory's groups.
func (m Members) SignIn(ctx context.Context, login, pw string) (Session, error) {
	return m.signIn(ctx, login, func(login string) (User, error) {
		if len(pw) > maxPassword {
			return User{}, errSignIn
		}
		c, err := m.Directory.SignIn(ctx, login, pw)
		if errs.Is(err, errs.Unauthenticated) {
			return User{}, errSignIn
		}
		if err != nil {
			return User{}, err
		}
		u, err := m.admit(ctx, c)
		if err == nil && u.Disabled {
			err = errSignIn
		}
		return u, err
	})
}

// Authenticate tells who holds a session, a key or a token of the directory.
func (m Members) Authenticate(ctx context.Context, token string) (Principal, error) {
	if strings.Count(token, ".") != 2 {
		return m.Service.Authenticate(ctx, token)
	}
	c, err := m.Directory.Verify(ctx, token)
	if errs.Is(err, errs.Unauthenticated) {
		return Principal{}, errToken
	}
	if err != nil {
		return Principal{}, err
	}
	u, err := m.admit(ctx, c)
	if err != nil {
		return Principal{}, err
	}
	if u.Disabled || c.Issued.Before(u.ValidFrom) {
		return Principal{}, errToken
	}
	return u.Principal(), nil
}

// admit gives the user of somebody whom the directory vouches for.
func (m Members) admit(ctx context.Context, c Claims) (User, error) {
	u, err := m.User(ctx, memberID(c.Subject))
	switch {
	case errs.Is(err, errs.NotFound):
		u, err = m.join(ctx, c)
	case err == nil:
		u, err = m.follow(ctx, u, c)
	}
	if err == nil && len(u.Roles) == 0 {
		err = errNoRole
	}
	return u, err
}

// join makes the account of who comes for the first time. The login may be that of an account that the
// directory has no longer.
func (m Members) join(ctx context.Context, c Claims) (User, error) {
	switch {
	case c.Login == "":
		return User{}, errs.New(errs.Forbidden, "the token's account is not known here").Mend("sign in once, or send an id token")
	case len(c.Roles) == 0:
		return User{}, errNoRole
	}
	u, err := m.draftUser(NewUser{Login: c.Login, Name: c.Name, Roles: c.Roles})
	if err != nil {
		return User{}, err
	}
	u.ID, u.MustChange, u.ValidFrom = memberID(c.Subject), c.Once, u.Created.Add(-joinGrace)
	ops := userOps(u)
	ops[0].If = table.Cond{}
	err = m.commitUser(ctx, u.actor(), "UserJoined", u, ops)
	if errs.Is(err, errs.Conflict) {
		return m.User(ctx, u.ID) // another request of the same person was first
	}
	return u, err
}

// joinGrace is the age that the first token of somebody may have.
const joinGrace = time.Hour

// follow takes over what the directory says, unless it was changed here since.
func (m Members) follow(ctx context.Context, u User, c Claims) (User, error) {
	if u.Disabled || u.follows(c) {
		return u, nil
	}
	event := "PasswordChanged"
	if !c.Issued.Before(u.RolesSince) && !slices.Equal(u.Roles, c.Roles) {
		event = "UserRolesChanged"
	}
	after, err := m.change(ctx, System("directory"), u.ID, event, "as the directory says", func(u *User) {
		if u.MustChange = c.Once; event == "UserRolesChanged" {
			u.Roles = c.Roles
		}
	})
	if !errs.Is(err, errs.Conflict) {
		return after, err
	}
	now, again := m.User(ctx, u.ID)
	if again == nil && now.follows(c) {
		return now, nil // another request of the same person was first
	}
	return User{}, err
}

// follows tells whether a user is as the directory says.
func (u User) follows(c Claims) bool {
	return u.MustChange == c.Once && (c.Issued.Before(u.RolesSince) || slices.Equal(u.Roles, c.Roles))
}

// CreateUser makes an account in the directory and here. The text returned is the one-time password, when
// one was made.
func (m Members) CreateUser(ctx context.Context, p Principal, n NewUser) (User, string, error) {
	if err := Require(p, UsersWrite); err != nil {
		return User{}, "", err
	}
	u, once, err := m.draft(&n)
	if err != nil {
		return User{}, "", err
	}
	if err := m.free(ctx, u.Login); err != nil {
		return User{}, "", err
	}
	subject, err := m.Directory.Put(ctx, u.account())
	if err != nil {
		return User{}, "", err
	}
	if err := m.Directory.SetPassword(ctx, subject, n.Password, once != ""); err != nil {
		return User{}, "", err
	}
	u.ID, u.RolesSince = memberID(subject), u.Created.Add(rolesGrace)
	if err := m.commitUser(ctx, p.Actor, "UserCreated", u, userOps(u)); err != nil {
		return User{}, "", err
	}
	return u, once, nil
}

// free refuses a login that an account here has, before the directory is touched.
func (m Members) free(ctx context.Context, login string) error {
	var row loginRow
	_, err := m.load(ctx, loginKey(login), &row)
	if err == nil {
		return errs.New(errs.Conflict, "the login %s is taken", login)
	}
	return notFoundIs(err, nil)
}

// SetRoles replaces a user's roles; they hold from the next call on.
func (m Members) SetRoles(ctx context.Context, p Principal, id string, roles []Role, reason string) (User, error) {
	clean, err := cleanRoles(roles)
	if err != nil {
		return User{}, err
	}
	u, err := m.change(ctx, p, id, "UserRolesChanged", reason, func(u *User) {
		u.Roles, u.RolesSince = clean, m.Clock().Add(rolesGrace)
	})
	return m.tell(ctx, u, err)
}

// Disable keeps a user out, at once, or lets them in again.
func (m Members) Disable(ctx context.Context, p Principal, id string, disabled bool, reason string) (User, error) {
	u, err := m.Service.Disable(ctx, p, id, disabled, reason)
	return m.tell(ctx, u, err)
}

// tell brings a change to the directory. When that fails the caller does it again: it is the same each time.
func (m Members) tell(ctx context.Context, u User, err error) (User, error) {
	if err != nil {
		return User{}, err
	}
	_, err = m.Directory.Put(ctx, u.account())
	return u, err
}

// ChangePassword lets a user choose a new password. All their sessions end; it gives a new one.
func (m Members) ChangePassword(ctx context.Context, p Principal, old, next string) (Session, error) {
	u, err := m.holder(ctx, p)
	if err != nil {
		return Session{}, err
	}
	if err := checkPassword(u.Login, next); err != nil {
		return Session{}, err
	}
	_, err = m.Directory.SignIn(ctx, u.Login, old)
	if errs.Is(err, errs.Unauthenticated) {
		return Session{}, errs.New(errs.Invalid, "the old password is wrong").At("password")
	}
	if err != nil {
		return Session{}, err
	}
	if err := m.Directory.SetPassword(ctx, u.subject(), next, false); err != nil {
		return Session{}, err
	}
	if u, err = m.passwordChanged(ctx, p.Actor, u, false, "PasswordChanged", ""); err != nil {
		return Session{}, err
	}
	return m.open(ctx, u)
}

// ResetPassword gives a user a one-time password, which it returns, and ends their sessions.
func (m Members) ResetPassword(ctx context.Context, p Principal, id, reason string) (string, error) {
	if err := Require(p, UsersWrite); err != nil {
		return "", err
	}
	u, err := m.User(ctx, id)
	if err != nil {
		return "", err
	}
	once, err := m.oneTime()
	if err != nil {
		return "", err
	}
	if _, err := m.passwordChanged(ctx, p.Actor, u, true, "PasswordReset", reason); err != nil {
		return "", err
	}
	return once, m.Directory.SetPassword(ctx, u.subject(), once, true)
}
