package rollout

import (
	"context"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

func holdKey(model, env, id string) table.Key {
	return table.Key{PK: "HOLDS#" + model + "#" + env, SK: id}
}

func saveHold(h Hold, rev int64) table.Op {
	return table.Save(holdKey(h.Model, h.Environment, h.ID), h, rev, nil)
}

func (s *Service) newHold(by audit.Actor, model, env string, t Target, why string) Hold {
	return Hold{ID: s.IDs("hld"), Model: model, Environment: env, Digest: t.Digest, Version: t.Version, Reason: why, Actor: by,
		Created: s.Clock(), Rev: 1}
}

// Holds lists the holds in force in an environment, newest first.
func (s *Service) Holds(ctx context.Context, model, env string) ([]Hold, error) {
	hs, err := table.All[Hold](ctx, s.Table, table.Query{
		PK: "HOLDS#" + model + "#" + env, Descending: true, Consistency: table.Consistent})
	return slices.DeleteFunc(hs, func(h Hold) bool { return !h.Released.IsZero() }), err
}

// notHeld refuses a version that is on hold in an environment. While any version is on hold there, what
// the platform itself asks for is refused as well: a trigger must not bring the bad data back.
func (s *Service) notHeld(ctx context.Context, by audit.Actor, model, env, digest string) error {
	hs, err := s.Holds(ctx, model, env)
	if err != nil {
		return err
	}
	automatic := strings.HasPrefix(by.ID, "system:")
	for _, h := range hs {
		if h.Digest == digest || automatic {
			return errs.New(errs.Held, "version %d is on hold in %s: %s", h.Version, env, h.Reason).
				Mend("release hold %s first", h.ID)
		}
	}
	return nil
}

// AddHold keeps a version out of an environment.
func (s *Service) AddHold(ctx context.Context, by audit.Actor, model, env string, version int, reason string) (Hold, error) {
	if strings.TrimSpace(reason) == "" {
		return Hold{}, errs.New(errs.Invalid, "a hold needs a reason").At("/reason")
	}
	if _, err := s.Environment(ctx, model, env); err != nil {
		return Hold{}, err
	}
	v, err := s.Registry.Version(ctx, model, version)
	if err != nil {
		return Hold{}, err
	}
	h := s.newHold(by, model, env, Target{Version: v.Number, Digest: v.Digest}, reason)
	_, err = s.Log.Commit(ctx, audit.Change{Actor: by, Type: "HoldPlaced", Reason: reason, Data: h,
		Subject: audit.Subject{Type: "environment", ID: model + "/" + env}, Ops: []table.Op{saveHold(h, 0)}})
	return h, err
}

// ReleaseHold ends a hold.
func (s *Service) ReleaseHold(ctx context.Context, by audit.Actor, model, env, id, reason string) (Hold, error) {
	h, err := table.Load[Hold](ctx, s.Table, holdKey(model, env, id))
	if errs.Is(err, errs.NotFound) || (err == nil && !h.Released.IsZero()) {
		return h, errs.New(errs.NotFound, "no hold %q in force in %s", id, env)
	}
	if err != nil {
		return h, err
	}
	was := h.Rev
	h.Released, h.Rev = s.Clock(), was+1
	_, err = s.Log.Commit(ctx, audit.Change{Actor: by, Type: "HoldReleased", Reason: reason, Data: h,
		Subject: audit.Subject{Type: "environment", ID: model + "/" + env}, Ops: []table.Op{saveHold(h, was)}})
	return h, err
}
