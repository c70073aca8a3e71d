package identity

import (
	"context"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// FirstAdmin makes the account "admin" when the platform has never had an admin, and gives its
// one-time password; otherwise it gives "".
func (s *Service) FirstAdmin(ctx context.Context) (string, error) {
	_, err := s.Table.Get(ctx, adminsKey, table.Consistent)
	if !errs.Is(err, errs.NotFound) {
		return "", err
	}
	n := NewUser{Login: "admin", Name: "Admin", Roles: []Role{Admin}}
	_, once, err := s.createUser(ctx, audit.System("setup"), n)
	if errs.Is(err, errs.Conflict) {
		return "", nil // another process was first
	}
	return once, err
}

// SetRoles replaces a user's roles; they hold from the next call on.
func (s *Service) SetRoles(ctx context.Context, p Principal, id string, roles []Role, reason string) (User, error) {
	clean, err := cleanRoles(roles)
	if err != nil {
		return User{}, err
	}
	return s.change(ctx, p, id, "UserRolesChanged", reason, func(u *User) { u.Roles = clean })
}

// Disable keeps a user out, at once, or lets them in again.
func (s *Service) Disable(ctx context.Context, p Principal, id string, disabled bool, reason string) (User, error) {
	event := "UserEnabled"
	if disabled {
		event = "UserDisabled"
	}
	return s.change(ctx, p, id, event, reason, func(u *User) { u.Disabled = disabled })
}

func (s *Service) change(ctx context.Context, p Principal, id, event, reason string, edit func(*User)) (User, error) {
	if err := Require(p, UsersWrite); err != nil {
		return User{}, err
	}
	before, err := s.User(ctx, id)
	if err != nil {
		return User{}, err
	}
	after := before
	edit(&after)
	after.Rev++
	ops := []table.Op{putUser(after, table.Cond{Kind: table.RevEq, Val: before.Rev})}
	switch {
	case before.isAdmin() && !after.isAdmin():
		ops = append(ops, countAdmins(-1))
	case !before.isAdmin() && after.isAdmin():
		ops = append(ops, countAdmins(1))
	}
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: p.Actor, Type: event, Subject: userSubject(id), Reason: reason, Data: after,
		Before: audit.JSON(before), After: audit.JSON(after), Ops: ops,
	})
	return after, explainChange(err, before.Login)
}

// explainChange tells the last admin apart from a change by somebody else.
func explainChange(err error, login string) error {
	failed, ok := failedOps(err)
	switch {
	case !ok:
		return err
	case failed[len(failed)-1] == 1:
		return errs.New(errs.Conflict, "%s is the last admin", login).Mend("make somebody else an admin first")
	}
	return errs.New(errs.Conflict, "the user %s was changed meanwhile", login).Mend("look at it again")
}

// ChangePassword lets a user choose a new password. All their sessions end; it gives a new one.
func (s *Service) ChangePassword(ctx context.Context, p Principal, old, next string) (Session, error) {
	u, err := s.holder(ctx, p)
	if err != nil {
		return Session{}, err
	}
	ok, err := s.verify(ctx, u.ID, old)
	if err != nil {
		return Session{}, err
	}
	if !ok {
		return Session{}, errs.New(errs.Invalid, "the old password is wrong").At("password")
	}
	if u, err = s.setPassword(ctx, p.Actor, u, next, false, "PasswordChanged", ""); err != nil {
		return Session{}, err
	}
	return s.open(ctx, u)
}

// holder is the user who makes a call with a password behind it.
func (s *Service) holder(ctx context.Context, p Principal) (User, error) {
	if p.kind != user {
		return User{}, errs.New(errs.Forbidden, "only a signed-in user has a password")
	}
	return s.User(ctx, p.Actor.ID)
}

// ResetPassword gives a user a one-time password, which it returns, and ends their sessions.
func (s *Service) ResetPassword(ctx context.Context, p Principal, id, reason string) (string, error) {
	if err := Require(p, UsersWrite); err != nil {
		return "", err
	}
	u, err := s.User(ctx, id)
	if err != nil {
		return "", err
	}
	once, err := s.oneTime()
	if err != nil {
		return "", err
	}
	_, err = s.setPassword(ctx, p.Actor, u, once, true, "PasswordReset", reason)
	return once, err
}

func (s *Service) setPassword(
	ctx context.Context, by audit.Actor, u User, pw string, must bool, event, reason string,
) (User, error) {
	if err := checkPassword(u.Login, pw); err != nil {
		return User{}, err
	}
	hashed, err := s.passwordOp(u, pw)
	if err != nil {
		return User{}, err
	}
	return s.passwordChanged(ctx, by, u, must, event, reason, hashed)
}

// passwordChanged records that a user has a new password, and ends their sessions.
func (s *Service) passwordChanged(
	ctx context.Context, by audit.Actor, u User, must bool, event, reason string, more ...table.Op,
) (User, error) {
	unchanged := table.Cond{Kind: table.RevEq, Val: u.Rev}
	u.MustChange, u.ValidFrom, u.Rev = must, s.Clock(), u.Rev+1
	_, err := s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: event, Subject: userSubject(u.ID), Reason: reason, Ops: append(more, putUser(u, unchanged)),
	})
	return u, explainConflict(err, "the user %s was changed meanwhile", u.Login)
}

func (s *Service) verify(ctx context.Context, id, pw string) (bool, error) {
	var stored password
	if _, err := s.load(ctx, passwordKey(id), &stored); err != nil {
		return false, fmt.Errorf("read password: %w", err)
	}
	return s.Hasher.Verify(stored.Hash, pw), nil
}
