package identity

import (
	"context"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Directory keeps people and their passwords outside the table, as a user pool of Cognito does. Its groups
// are named like roles.
type Directory interface {
	// SignIn tells who has the login and the password; errs.Unauthenticated when one of them is wrong.
	SignIn(ctx context.Context, login, password string) (Claims, error)
	// Verify tells what a token of the directory says; errs.Unauthenticated when it does not hold.
	Verify(ctx context.Context, token string) (Claims, error)
	// Put makes the account with the login, or changes the one that is there, and gives its subject. When it
	// switches an account off, tokens that renew themselves end.
	Put(ctx context.Context, a Account) (subject string, err error)
	// SetPassword replaces a password. A one-time one must be changed at the next sign-in, and tokens that
	// renew themselves end.
	SetPassword(ctx context.Context, subject, password string, once bool) error
}

// Claims is what a directory says of somebody.
type Claims struct {
	Subject string // the account's id in the directory, for good
	Login   string
	Name    string
	Roles   []Role    // of its groups; others are left out
	Once    bool      // the password is a one-time one
	Issued  time.Time // of the token
}

// Account is what a directory is told.
type Account struct {
	Login    string
	Name     string
	Roles    []Role
	Disabled bool
}

// rolesGrace is for how long after a change of roles a new token may still tell the groups from before.
const rolesGrace = 10 * time.Second

var errNoRole = errs.New(errs.Forbidden, "the account has no role here").
	Mend("ask an admin to put it into one of the groups %s", roleNames())

// RolesOf gives the roles among names of groups, each once, in the order of Roles.
func RolesOf(groups []string) []Role {
	var known []Role
	for _, g := range groups {
		if r := Role(g); len(permissions[r]) > 0 {
			known = append(known, r)
		}
	}
	clean, err := cleanRoles(known)
	if err != nil {
		return []Role{}
	}
	return clean
}

// A member is a user whom a directory knows: the subject is in the id.
const userPrefix = "usr_"

func memberID(subject string) string { return userPrefix + subject }

func (u User) subject() string { return strings.TrimPrefix(u.ID, userPrefix) }

func (u User) account() Account {
	return Account{Login: u.Login, Name: u.Name, Roles: u.Roles, Disabled: u.Disabled}
}
