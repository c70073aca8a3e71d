package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// SignIn answers signIn.
func (h *handler) SignIn(ctx context.Context, req *oas.SignIn) (*oas.MeHeaders, error) {
	q := requestOf(ctx)
	if err := h.hosts.allowed(q.Address); err != nil {
		return nil, err
	}
	session, err := h.Sessions.SignIn(ctx, req.User, req.Password)
	if errs.Is(err, errs.Unauthenticated) {
		h.hosts.failed(q.Address)
	}
	if err != nil {
		return nil, err
	}
	p, err := h.Sessions.Authenticate(ctx, session.Token)
	if err != nil {
		return nil, err
	}
	q.Principal = &p
	return &oas.MeHeaders{SetCookie: cookie(q, session.Token, session.Expires.Sub(h.Clock())), Response: me(p)}, nil
}

// SignOut answers signOut. A key has no session to end.
func (h *handler) SignOut(ctx context.Context) (*oas.SignOutNoContent, error) {
	q := requestOf(ctx)
	if q.Cookie {
		if err := h.Sessions.SignOut(ctx, q.Token); err != nil {
			return nil, err
		}
	}
	return &oas.SignOutNoContent{SetCookie: cookie(q, "", -time.Second)}, nil
}

// cookie makes the session cookie; without a token it removes it.
func cookie(q *request, token string, life time.Duration) string {
	c := http.Cookie{Name: SessionCookie, Value: token, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true,
		Secure: q.Secure, SameSite: http.SameSiteLaxMode}
	if token == "" {
		c.MaxAge = -1
	}
	return c.String()
}

// GetMe answers getMe.
func (h *handler) GetMe(ctx context.Context) (*oas.Me, error) {
	m := me(*requestOf(ctx).Principal)
	return &m, nil
}

func me(p identity.Principal) oas.Me {
	m := oas.Me{ID: p.Actor.ID, Name: p.Actor.Name, Kind: oas.MeKindUser, MustChangePassword: p.MustChange,
		Roles: as[oas.Role](p.Roles), Permissions: as[oas.Permission](p.Permissions()), Environments: append([]string{}, p.Environments...)}
	if len(p.Scopes) > 0 {
		m.Kind = oas.MeKindKey
	}
	return m
}

// as turns one kind of string into another.
func as[To, From ~string](from []From) []To {
	to := make([]To, len(from))
	for i, v := range from {
		to[i] = To(v)
	}
	return to
}

// ChangePassword answers changePassword. All sessions end; the caller gets a new one.
func (h *handler) ChangePassword(ctx context.Context, req *oas.PasswordChange) (*oas.ChangePasswordNoContent, error) {
	q := requestOf(ctx)
	session, err := h.Passwords.ChangePassword(ctx, *q.Principal, req.Current, req.New)
	if err != nil {
		return nil, err
	}
	return &oas.ChangePasswordNoContent{SetCookie: cookie(q, session.Token, session.Expires.Sub(h.Clock()))}, nil
}

// GetConfig answers getConfig.
func (h *handler) GetConfig(context.Context) (*oas.Config, error) {
	return &oas.Config{Mode: oas.ConfigMode(h.Place.Mode), Realtime: oas.ConfigRealtime(h.Place.Realtime), Version: h.Place.Version,
		PollAfterMs: pollActive, PartBytes: int(h.Place.PartBytes)}, nil
}
