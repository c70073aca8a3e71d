package identity

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Key lets a service call without a person. Its token is shown once.
type Key struct {
	ID           string       `json:"id"` // "key_…"
	Name         string       `json:"name"`
	Scopes       []Permission `json:"scopes"`
	Environments []string     `json:"environments"` // empty = all
	Owner        audit.Actor  `json:"owner"`        // who made it
	Created      time.Time    `json:"created"`
	Expires      time.Time    `json:"expires,omitzero"` // zero = never
	Revoked      bool         `json:"revoked"`
	Rev          int64        `json:"rev"`
}

// NewKey is what CreateKey needs.
type NewKey struct {
	Name         string        `json:"name"`
	Scopes       []Permission  `json:"scopes"`
	Environments []string      `json:"environments"`
	Life         time.Duration `json:"life"` // 0 = never expires
}

type keyRow struct {
	Key
	Hash string `json:"hash"` // of the whole token
}

const keysPK = "KEYS" // in GSI1

func keyKey(id string) table.Key { return table.Key{PK: "KEY#" + id, SK: "KEY"} }

func keySubject(id string) audit.Subject { return audit.Subject{Type: "key", ID: id} }

// CreateKey makes a key and gives its token. Nobody can give a key more than they may do themselves.
func (s *Service) CreateKey(ctx context.Context, p Principal, n NewKey) (Key, string, error) {
	k, err := s.draftKey(p, n)
	if err != nil {
		return Key{}, "", err
	}
	secret, err := s.secret(keyPrefix + strings.TrimPrefix(k.ID, "key_") + ".")
	if err != nil {
		return Key{}, "", err
	}
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: p.Actor, Type: "KeyCreated", Subject: keySubject(k.ID), Data: k, After: audit.JSON(k),
		Ops: []table.Op{putKey(keyRow{k, fingerprint(secret)}, table.Cond{Kind: table.NotExists})},
	})
	if err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

func (s *Service) draftKey(p Principal, n NewKey) (Key, error) {
	if err := Require(p, SettingsWrite); err != nil {
		return Key{}, err
	}
	scopes, err := cleanScopes(n.Scopes)
	if err != nil {
		return Key{}, err
	}
	for _, scope := range scopes {
		if err := Require(p, scope); err != nil {
			return Key{}, err
		}
	}
	name := strings.TrimSpace(n.Name)
	if name == "" || len(name) > maxLogin || n.Life < 0 {
		return Key{}, errs.New(errs.Invalid, "a key needs a name of at most %d bytes and a life that is not negative", maxLogin).At("name")
	}
	environments := n.Environments
	if environments == nil {
		environments = []string{}
	}
	k := Key{
		ID: s.NewID("key"), Name: name, Scopes: scopes, Environments: environments, Owner: p.Actor, Created: s.Clock(), Rev: 1,
	}
	if n.Life > 0 {
		k.Expires = k.Created.Add(n.Life)
	}
	return k, nil
}

func putKey(row keyRow, c table.Cond) table.Op {
	op := putDoc(keyKey(row.ID), row, c)
	op.Item.Idx = map[table.Index]table.Key{table.GSI1: {PK: keysPK, SK: row.ID}}
	return op
}

// Keys gives a page of the keys, oldest first, with the cursor of the next one.
func (s *Service) Keys(ctx context.Context, cursor string, limit int) ([]Key, string, error) {
	return list(ctx, s.Table, keysPK, cursor, limit, func(k *Key, rev int64) { k.Rev = rev })
}

// RevokeKey makes a key useless, at once and for good.
func (s *Service) RevokeKey(ctx context.Context, p Principal, id, reason string) error {
	if err := Require(p, SettingsWrite); err != nil {
		return err
	}
	var row keyRow
	rev, err := s.load(ctx, keyKey(id), &row)
	if err != nil {
		return notFoundIs(err, errs.New(errs.NotFound, "no key %s", id))
	}
	if row.Revoked {
		return nil
	}
	before := row.Key
	row.Revoked, row.Rev = true, rev+1
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: p.Actor, Type: "KeyRevoked", Subject: keySubject(id), Reason: reason, Before: audit.JSON(before), After: audit.JSON(row.Key),
		Ops: []table.Op{putKey(row, table.Cond{Kind: table.RevEq, Val: rev})},
	})
	return explainConflict(err, "the key %s was changed meanwhile", before.Name)
}

func (s *Service) byKey(ctx context.Context, token string) (Principal, error) {
	id, _, ok := strings.Cut(strings.TrimPrefix(token, keyPrefix), ".")
	if !ok || id == "" || len(id) > maxLogin {
		return Principal{}, errToken
	}
	var row keyRow
	if _, err := s.load(ctx, keyKey("key_"+id), &row); err != nil {
		return Principal{}, notFoundIs(err, errToken)
	}
	same := subtle.ConstantTimeCompare([]byte(row.Hash), []byte(fingerprint(token))) == 1
	expired := !row.Expires.IsZero() && !s.Clock().Before(row.Expires)
	if !same || row.Revoked || expired {
		return Principal{}, errToken
	}
	actor := audit.Actor{ID: row.ID, Name: row.Name}
	return Principal{Actor: actor, Scopes: row.Scopes, Environments: row.Environments, kind: service}, nil
}
