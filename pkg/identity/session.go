package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Session is a signed-in browser or terminal. The token is known to its holder only.
type Session struct {
	Token   string    `json:"token"`
	User    User      `json:"user"`
	Expires time.Time `json:"expires"`
}

type sessionRow struct {
	User    string    `json:"user"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Sign-in slows down guessing: so many failures of one login within the window close it for the
// rest of the window.
const (
	maxFailures   = 10
	failureWindow = 15 * time.Minute
	defaultLife   = 12 * time.Hour
)

func sessionKey(token string) table.Key {
	return table.Key{PK: "SESSION#" + fingerprint(token), SK: "SESSION"}
}

func failureKey(login string) table.Key {
	return table.Key{PK: "SIGNIN#" + fingerprint(login), SK: "FAILURES"}
}

var errSignIn = errs.New(errs.Unauthenticated, "login or password is wrong")

// SignIn opens a session. Which of login and password is wrong it does not tell.
func (s *Service) SignIn(ctx context.Context, login, pw string) (Session, error) {
	return s.signIn(ctx, login, func(login string) (User, error) { return s.check(ctx, login, pw) })
}

// signIn opens a session for whom the check finds, unless too many checks of the login have failed.
func (s *Service) signIn(ctx context.Context, login string, check func(login string) (User, error)) (Session, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	if err := s.checkFailures(ctx, login); err != nil {
		return Session{}, err
	}
	u, err := check(login)
	if errors.Is(err, errSignIn) {
		if ferr := s.countFailure(ctx, login); ferr != nil {
			return Session{}, ferr
		}
	}
	if err != nil {
		return Session{}, err
	}
	return s.open(ctx, u)
}

func (s *Service) open(ctx context.Context, u User) (Session, error) {
	token, err := s.secret(sessionPrefix)
	if err != nil {
		return Session{}, err
	}
	life := s.Session
	if life == 0 {
		life = defaultLife
	}
	row := sessionRow{User: u.ID, Created: s.Clock(), Expires: s.Clock().Add(life).Truncate(time.Second)}
	op := putDoc(sessionKey(token), row, table.Cond{Kind: table.NotExists})
	op.Item.TTL = row.Expires
	unchanged := table.Op{Kind: table.Check, Item: table.Item{Key: userKey(u.ID)}, If: table.Cond{Kind: table.RevEq, Val: u.Rev}}
	clear := table.Op{Kind: table.Delete, Item: table.Item{Key: failureKey(u.Login)}}
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: u.actor(), Type: "SignedIn", Subject: userSubject(u.ID), Ops: []table.Op{op, unchanged, clear},
	})
	if err != nil {
		return Session{}, explainConflict(err, "the user %s was changed meanwhile", u.Login)
	}
	return Session{Token: token, User: u, Expires: row.Expires}, nil
}

// check finds the user with the login and password. For a login that does not exist it takes as
// long as for one that does.
func (s *Service) check(ctx context.Context, login, pw string) (User, error) {
	var row loginRow
	if clean, err := cleanLogin(login); err != nil || clean != login || len(pw) > maxPassword {
		return User{}, errSignIn
	}
	_, err := s.load(ctx, loginKey(login), &row)
	if errs.Is(err, errs.NotFound) {
		if _, err := s.Hasher.Hash(pw); err != nil {
			return User{}, fmt.Errorf("hash password: %w", err)
		}
		return User{}, errSignIn
	}
	if err != nil {
		return User{}, err
	}
	ok, err := s.verify(ctx, row.User, pw)
	if err != nil {
		return User{}, err
	}
	u, err := s.User(ctx, row.User)
	if err != nil {
		return User{}, err
	}
	if !ok || u.Disabled {
		return User{}, errSignIn
	}
	return u, nil
}

func (s *Service) checkFailures(ctx context.Context, login string) error {
	it, err := s.Table.Get(ctx, failureKey(login), table.Consistent)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err == nil && it.Num["failures"] >= maxFailures {
		return errs.New(errs.Exhausted, "too many failed sign-ins").Mend("try again after %s UTC", it.TTL.Format("15:04"))
	}
	return err
}

func (s *Service) countFailure(ctx context.Context, login string) error {
	it := table.Item{Key: failureKey(login), Num: map[string]int64{"failures": 1}}
	next := table.Op{Kind: table.Add, Item: it, If: table.Cond{Kind: table.Exists}}
	err := s.Table.Write(ctx, "", next)
	if _, canceled := failedOps(err); !canceled {
		return err
	}
	it.TTL = s.Clock().Add(failureWindow)
	return s.Table.Write(ctx, "", table.Op{Kind: table.Put, Item: it})
}

func failedOps(err error) ([]int, bool) {
	var canceled *table.CanceledError
	if errors.As(err, &canceled) && len(canceled.Failed) > 0 {
		return canceled.Failed, true
	}
	return nil, false
}

// SignOut ends a session; one that is not there has ended already.
func (s *Service) SignOut(ctx context.Context, token string) error {
	var row sessionRow
	_, err := s.load(ctx, sessionKey(token), &row)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: audit.Actor{ID: row.User}, Type: "SignedOut", Subject: userSubject(row.User),
		Ops: []table.Op{{Kind: table.Delete, Item: table.Item{Key: sessionKey(token)}}},
	})
	return err
}

var errToken = errs.New(errs.Unauthenticated, "the session or key is not valid").Mend("sign in again, or use another key")

// Authenticate tells who holds the token of a session or a key.
func (s *Service) Authenticate(ctx context.Context, token string) (Principal, error) {
	switch {
	case strings.HasPrefix(token, sessionPrefix):
		return s.bySession(ctx, token)
	case strings.HasPrefix(token, keyPrefix):
		return s.byKey(ctx, token)
	}
	return Principal{}, errToken
}

func (s *Service) bySession(ctx context.Context, token string) (Principal, error) {
	var row sessionRow
	if _, err := s.load(ctx, sessionKey(token), &row); err != nil {
		return Principal{}, notFoundIs(err, errToken)
	}
	u, err := s.User(ctx, row.User)
	if err != nil {
		return Principal{}, notFoundIs(err, errToken)
	}
	if u.Disabled || row.Created.Before(u.ValidFrom) {
		return Principal{}, errToken
	}
	return u.Principal(), nil
}

func notFoundIs(err, instead error) error {
	if errs.Is(err, errs.NotFound) {
		return instead
	}
	return err
}
