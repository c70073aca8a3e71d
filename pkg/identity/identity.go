// Package identity knows who acts and what they may do: users, sessions, service keys, roles and
// the platform's only permission table.
package identity

import (
	"io"
	"slices"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Principal is who makes a call, as established by Authenticate or by the host.
type Principal struct {
	Actor        audit.Actor  `json:"actor"`
	Roles        []Role       `json:"roles"`
	Scopes       []Permission `json:"scopes,omitempty"`       // of a key: all that it may do
	Environments []string     `json:"environments,omitempty"` // of a key: where it may do it; empty = everywhere
	MustChange   bool         `json:"mustChange,omitempty"`   // signed in with a one-time password
	kind         kind
}

type kind int

const (
	nobody kind = iota
	user
	service
	system
)

// System is the principal for a part of the platform itself; it may do everything.
func System(part string) Principal { return Principal{Actor: audit.System(part), kind: system} }

// May tells whether the principal has the permission.
func (p Principal) May(want Permission) bool {
	switch p.kind {
	case system:
		return true
	case service:
		return slices.Contains(p.Scopes, want)
	case user:
		return slices.ContainsFunc(p.Roles, func(r Role) bool { return Allowed(r, want) })
	default:
		return false
	}
}

// In tells whether the principal may act in an environment.
func (p Principal) In(environment string) bool {
	return len(p.Environments) == 0 || slices.Contains(p.Environments, environment)
}

// Require is nil when the principal has the permission, else errs.Forbidden, or
// errs.Unauthenticated for the zero principal.
func Require(p Principal, want Permission) error {
	if p.kind == nobody {
		return errs.New(errs.Unauthenticated, "nobody is signed in").Mend("sign in, or send a key")
	}
	if p.May(want) {
		return nil
	}
	err := errs.New(errs.Forbidden, "this needs the permission %s", want)
	if p.kind == service {
		return err.Mend("use a key that has this scope")
	}
	return err.Mend("ask an admin for one of the roles %s", rolesWith(want))
}

// Permissions gives all that the principal may do, in the order of Permissions.
func (p Principal) Permissions() []Permission {
	all := []Permission{}
	for _, want := range Permissions {
		if p.May(want) {
			all = append(all, want)
		}
	}
	return all
}

// Hasher hashes passwords slowly and with salt.
type Hasher interface {
	Hash(password string) (string, error)
	// Verify tells whether the password is the one that was hashed.
	Verify(hash, password string) bool
}

// Options are what a Service stands on.
type Options struct {
	Table   table.Table
	Log     audit.Committer
	Clock   ids.Clock
	NewID   ids.Source
	Hasher  Hasher
	Random  io.Reader     // for secrets; nil = the system's
	Session time.Duration // life of a session; 0 = 12 h
}

// Service keeps users, sessions and keys.
type Service struct {
	Options
}

// NewService opens the accounts in a table.
func NewService(o Options) *Service { return &Service{Options: o} }
