package httpapi

import (
	"context"
	"time"

	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// ListUsers answers listUsers.
func (h *handler) ListUsers(ctx context.Context, p oas.ListUsersParams) (*oas.UserList, error) {
	list, next, err := h.Users.Users(ctx, p.Cursor.Value, p.Limit.Value)
	if err != nil {
		return nil, err
	}
	items, err := wires[oas.User](list)
	return &oas.UserList{Items: items, NextCursor: opt(next)}, err
}

// CreateUser answers createUser.
func (h *handler) CreateUser(ctx context.Context, req *oas.UserNew) (*oas.UserCreated, error) {
	u, once, err := h.Users.CreateUser(ctx, *requestOf(ctx).Principal, identity.NewUser{
		Login: req.Login, Name: req.Name.Value, Password: req.Password.Value, Roles: as[identity.Role](req.Roles)})
	if err != nil {
		return nil, err
	}
	user, err := wire[oas.User](u)
	if err != nil {
		return nil, err
	}
	return &oas.UserCreated{User: *user, OneTimePassword: opt(once)}, nil
}

// SetRoles answers setRoles.
func (h *handler) SetRoles(ctx context.Context, req *oas.RolesChange, p oas.SetRolesParams) (*oas.User, error) {
	return sent[oas.User](h.Users.SetRoles(ctx, *requestOf(ctx).Principal, p.ID, as[identity.Role](req.Roles), req.Reason))
}

// DisableUser answers disableUser.
func (h *handler) DisableUser(ctx context.Context, req *oas.Reason, p oas.DisableUserParams) (*oas.User, error) {
	return sent[oas.User](h.Users.Disable(ctx, *requestOf(ctx).Principal, p.ID, true, req.Reason))
}

// EnableUser answers enableUser.
func (h *handler) EnableUser(ctx context.Context, req *oas.Reason, p oas.EnableUserParams) (*oas.User, error) {
	return sent[oas.User](h.Users.Disable(ctx, *requestOf(ctx).Principal, p.ID, false, req.Reason))
}

// ResetPassword answers resetPassword.
func (h *handler) ResetPassword(ctx context.Context, req *oas.Reason, p oas.ResetPasswordParams) (*oas.OneTimePassword, error) {
	once, err := h.Passwords.ResetPassword(ctx, *requestOf(ctx).Principal, p.ID, req.Reason)
	return &oas.OneTimePassword{OneTimePassword: once}, err
}

// ListKeys answers listKeys.
func (h *handler) ListKeys(ctx context.Context, p oas.ListKeysParams) (*oas.KeyList, error) {
	list, next, err := h.Keys.Keys(ctx, p.Cursor.Value, p.Limit.Value)
	if err != nil {
		return nil, err
	}
	items, err := wires[oas.Key](list)
	return &oas.KeyList{Items: items, NextCursor: opt(next)}, err
}

// CreateKey answers createKey.
func (h *handler) CreateKey(ctx context.Context, req *oas.KeyNew) (*oas.KeyCreated, error) {
	k, token, err := h.Keys.CreateKey(ctx, *requestOf(ctx).Principal, identity.NewKey{
		Name: req.Name, Scopes: as[identity.Permission](req.Scopes), Environments: req.Environments,
		Life: time.Duration(req.ExpiresInDays.Value) * 24 * time.Hour})
	if err != nil {
		return nil, err
	}
	key, err := wire[oas.Key](k)
	if err != nil {
		return nil, err
	}
	return &oas.KeyCreated{Key: *key, Token: token}, nil
}

// RevokeKey answers revokeKey.
func (h *handler) RevokeKey(ctx context.Context, p oas.RevokeKeyParams) error {
	return h.Keys.RevokeKey(ctx, *requestOf(ctx).Principal, p.ID, p.Reason.Value)
}
