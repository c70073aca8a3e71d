package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// User is a person with an account.
type User struct {
	ID         string    `json:"id"`    // "usr_…"
	Login      string    `json:"login"` // e-mail or name, lower case, unique
	Name       string    `json:"name"`
	Roles      []Role    `json:"roles"`
	Disabled   bool      `json:"disabled"`
	MustChange bool      `json:"mustChange"` // the password is a one-time one
	Created    time.Time `json:"created"`
	ValidFrom  time.Time `json:"validFrom"`           // sessions from before are void
	RolesSince time.Time `json:"rolesSince,omitzero"` // of a member: what a directory said of the roles before does not count
	Rev        int64     `json:"rev"`
}

// NewUser is what CreateUser needs.
type NewUser struct {
	Login    string `json:"login"`
	Name     string `json:"name"`
	Password string `json:"password,omitempty"` // empty: a one-time password is made
	Roles    []Role `json:"roles"`
}

func (u User) actor() audit.Actor { return audit.Actor{ID: u.ID, Name: u.Name} }

// Principal is the user as who makes calls.
func (u User) Principal() Principal {
	return Principal{Actor: u.actor(), Roles: u.Roles, MustChange: u.MustChange, kind: user}
}

func (u User) isAdmin() bool { return !u.Disabled && slices.Contains(u.Roles, Admin) }

// The layout of the records. The password lies apart from the user, so that no list carries it.
func userKey(id string) table.Key     { return table.Key{PK: "USER#" + id, SK: "USER"} }
func passwordKey(id string) table.Key { return table.Key{PK: "USER#" + id, SK: "PASSWORD"} }
func loginKey(login string) table.Key { return table.Key{PK: "LOGIN#" + login, SK: "LOGIN"} }

// adminsKey counts the admins who can sign in, so that the last one stays.
var adminsKey = table.Key{PK: "IDENTITY", SK: "ADMINS"}

const usersPK = "USERS" // in GSI1

type password struct {
	Hash string `json:"hash"`
}

type loginRow struct {
	User string `json:"user"`
}

// Limits of what people choose, in characters or bytes.
const (
	maxLogin    = 200
	MinPassword = 10
	maxPassword = 200
)

func cleanLogin(login string) (string, error) {
	clean := strings.ToLower(strings.TrimSpace(login))
	if clean == "" || len(clean) > maxLogin || !utf8.ValidString(clean) || strings.ContainsFunc(clean, unfit) {
		return "", errs.New(errs.Invalid, "a login is 1 to %d characters without blanks", maxLogin).At("login")
	}
	return clean, nil
}

func unfit(r rune) bool { return r <= ' ' || r == 0x7f }

func checkPassword(login, pw string) error {
	switch n := utf8.RuneCountInString(pw); {
	case n < MinPassword || len(pw) > maxPassword:
		return errs.New(errs.Invalid, "a password has %d to %d characters", MinPassword, maxPassword).At("password")
	case strings.EqualFold(pw, login):
		return errs.New(errs.Invalid, "the password is the login").At("password").Mend("choose another one")
	}
	return nil
}

// CreateUser makes an account. The text returned is the one-time password, when one was made.
func (s *Service) CreateUser(ctx context.Context, p Principal, n NewUser) (User, string, error) {
	if err := Require(p, UsersWrite); err != nil {
		return User{}, "", err
	}
	return s.createUser(ctx, p.Actor, n)
}

func (s *Service) createUser(ctx context.Context, by audit.Actor, n NewUser) (User, string, error) {
	u, once, err := s.draft(&n)
	if err != nil {
		return User{}, "", err
	}
	hashed, err := s.passwordOp(u, n.Password)
	if err != nil {
		return User{}, "", err
	}
	if err := s.commitUser(ctx, by, "UserCreated", u, append(userOps(u), hashed)); err != nil {
		return User{}, "", err
	}
	return u, once, nil
}

// commitUser writes a new account.
func (s *Service) commitUser(ctx context.Context, by audit.Actor, event string, u User, ops []table.Op) error {
	_, err := s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: event, Subject: userSubject(u.ID), Data: u, After: audit.JSON(u), Ops: ops,
	})
	return explainConflict(err, "the login %s is taken", u.Login)
}

func userSubject(id string) audit.Subject { return audit.Subject{Type: "user", ID: id} }

// explainConflict gives a failed condition the words that fit the call.
func explainConflict(err error, format string, args ...any) error {
	if errs.Is(err, errs.Conflict) {
		return errs.New(errs.Conflict, format, args...)
	}
	return err
}

// draft checks a new account; without a password it chooses a one-time one, which it gives.
func (s *Service) draft(n *NewUser) (u User, once string, err error) {
	if u, err = s.draftUser(*n); err != nil {
		return User{}, "", err
	}
	if n.Password == "" {
		if once, err = s.oneTime(); err != nil {
			return User{}, "", err
		}
		n.Password, u.MustChange = once, true
	}
	return u, once, checkPassword(u.Login, n.Password)
}

func (s *Service) draftUser(n NewUser) (User, error) {
	login, err := cleanLogin(n.Login)
	if err != nil {
		return User{}, err
	}
	roles, err := cleanRoles(n.Roles)
	if err != nil {
		return User{}, err
	}
	name := strings.TrimSpace(n.Name)
	if name == "" {
		name = login
	}
	if len(name) > maxLogin || !utf8.ValidString(name) {
		return User{}, errs.New(errs.Invalid, "a name has at most %d bytes", maxLogin).At("name")
	}
	now := s.Clock()
	return User{ID: s.NewID("usr"), Login: login, Name: name, Roles: roles, Created: now, ValidFrom: now, Rev: 1}, nil
}

func userOps(u User) []table.Op {
	absent := table.Cond{Kind: table.NotExists}
	ops := []table.Op{putDoc(loginKey(u.Login), loginRow{User: u.ID}, absent), putUser(u, absent)}
	if u.isAdmin() {
		ops = append(ops, countAdmins(1))
	}
	return ops
}

func (s *Service) passwordOp(u User, pw string) (table.Op, error) {
	hash, err := s.Hasher.Hash(pw)
	if err != nil {
		return table.Op{}, fmt.Errorf("hash password: %w", err)
	}
	return putDoc(passwordKey(u.ID), password{Hash: hash}, table.Cond{}), nil
}

func putDoc(key table.Key, v any, c table.Cond) table.Op {
	return table.Op{Kind: table.Put, Item: table.Item{Key: key, Body: audit.JSON(v)}, If: c}
}

func putUser(u User, c table.Cond) table.Op {
	op := putDoc(userKey(u.ID), u, c)
	op.Item.Idx = map[table.Index]table.Key{table.GSI1: {PK: usersPK, SK: u.Login}}
	return op
}

// countAdmins moves the number of admins; the last one cannot go.
func countAdmins(by int64) table.Op {
	op := table.Op{Kind: table.Add, Item: table.Item{Key: adminsKey, Num: map[string]int64{"admins": by}}}
	if by < 0 {
		op.If = table.Cond{Kind: table.NumGE, Name: "admins", Val: 2}
	}
	return op
}

// User reads one account.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	var u User
	rev, err := s.load(ctx, userKey(id), &u)
	if errs.Is(err, errs.NotFound) {
		return User{}, errs.New(errs.NotFound, "no user %s", id)
	}
	u.Rev = rev
	return u, err
}

func (s *Service) load(ctx context.Context, key table.Key, into any) (rev int64, err error) {
	it, err := s.Table.Get(ctx, key, table.Consistent)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(it.Body, into); err != nil {
		return 0, fmt.Errorf("decode %s: %w", key.SK, err)
	}
	return it.Rev, nil
}

// Users gives a page of the accounts in order of logins, with the cursor of the next one.
func (s *Service) Users(ctx context.Context, cursor string, limit int) ([]User, string, error) {
	return list(ctx, s.Table, usersPK, cursor, limit, func(u *User, rev int64) { u.Rev = rev })
}

func list[T any](ctx context.Context, t table.Table, pk, cursor string, limit int, setRev func(*T, int64)) ([]T, string, error) {
	page, err := t.Query(ctx, table.Query{Index: table.GSI1, PK: pk, Cursor: cursor, Limit: limit})
	if err != nil {
		return nil, "", fmt.Errorf("list %s: %w", strings.ToLower(pk), err)
	}
	all := make([]T, len(page.Items))
	for i, it := range page.Items {
		if err := json.Unmarshal(it.Body, &all[i]); err != nil {
			return nil, "", fmt.Errorf("decode %s: %w", it.PK, err)
		}
		setRev(&all[i], it.Rev)
	}
	return all, page.Next, nil
}
