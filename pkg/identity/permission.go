package identity

import (
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Permission is the right to do one kind of thing.
type Permission string

// The permissions.
const (
	DataRead         Permission = "data:read"
	DataWrite        Permission = "data:write"
	RunsRead         Permission = "runs:read"
	RunsWrite        Permission = "runs:write"
	ModelsRead       Permission = "models:read"
	ModelsWrite      Permission = "models:write"
	BenchmarksRead   Permission = "benchmarks:read"
	BenchmarksWrite  Permission = "benchmarks:write"
	ApprovalsRead    Permission = "approvals:read"
	ApprovalsDecide  Permission = "approvals:decide"
	DeploymentsRead  Permission = "deployments:read"
	DeploymentsWrite Permission = "deployments:write"
	RollbackWrite    Permission = "rollback:write"
	MonitoringRead   Permission = "monitoring:read"
	SettingsRead     Permission = "settings:read"
	SettingsWrite    Permission = "settings:write"
	UsersWrite       Permission = "users:write"
	AuditRead        Permission = "audit:read"
	GatewayInvoke    Permission = "gateway:invoke"
)

// Permissions lists all, in the order in which they are shown.
var Permissions = []Permission{
	DataRead, DataWrite, RunsRead, RunsWrite, ModelsRead, ModelsWrite, BenchmarksRead, BenchmarksWrite,
	ApprovalsRead, ApprovalsDecide, DeploymentsRead, DeploymentsWrite, RollbackWrite, MonitoringRead,
	SettingsRead, SettingsWrite, UsersWrite, AuditRead, GatewayInvoke,
}

// Role is a named set of permissions that a user has.
type Role string

// The roles.
const (
	Viewer       Role = "viewer"
	DataEngineer Role = "data-engineer"
	MLEngineer   Role = "ml-engineer"
	Approver     Role = "approver"
	Admin        Role = "admin"
)

// Roles lists all, in the order in which they are shown.
var Roles = []Role{Viewer, DataEngineer, MLEngineer, Approver, Admin}

var reading = []Permission{
	DataRead, RunsRead, ModelsRead, BenchmarksRead, ApprovalsRead, DeploymentsRead, MonitoringRead,
}

// permissions is the one permission table. Everybody who runs the loop may roll back: going back is
// always the safe direction.
var permissions = map[Role][]Permission{
	Viewer:       reading,
	DataEngineer: with(DataWrite, SettingsRead, GatewayInvoke),
	MLEngineer:   with(RunsWrite, ModelsWrite, BenchmarksWrite, DeploymentsWrite, RollbackWrite, SettingsRead, GatewayInvoke),
	Approver:     with(ApprovalsDecide, RollbackWrite, AuditRead, SettingsRead, GatewayInvoke),
	Admin:        Permissions,
}

func with(more ...Permission) []Permission { return append(slices.Clone(reading), more...) }

// Allowed tells whether a role has a permission; unknown ones have none.
func Allowed(r Role, p Permission) bool { return slices.Contains(permissions[r], p) }

func rolesWith(p Permission) string {
	var names []string
	for _, r := range Roles {
		if Allowed(r, p) {
			names = append(names, string(r))
		}
	}
	return strings.Join(names, ", ")
}

// cleanRoles checks roles and gives them once each, in the order of Roles.
func cleanRoles(roles []Role) ([]Role, error) {
	if len(roles) == 0 {
		return nil, errs.New(errs.Invalid, "a user needs a role").At("roles").Mend("choose from %s", roleNames())
	}
	clean := []Role{}
	for _, r := range roles {
		if !slices.Contains(Roles, r) {
			return nil, errs.New(errs.Invalid, "unknown role %q", r).At("roles").Mend("choose from %s", roleNames())
		}
	}
	for _, r := range Roles {
		if slices.Contains(roles, r) {
			clean = append(clean, r)
		}
	}
	return clean, nil
}

func roleNames() string {
	names := make([]string, len(Roles))
	for i, r := range Roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

func cleanScopes(scopes []Permission) ([]Permission, error) {
	if len(scopes) == 0 {
		return nil, errs.New(errs.Invalid, "a key needs a scope").At("scopes").Mend("for questions to a model it is %s", GatewayInvoke)
	}
	for _, s := range scopes {
		if !slices.Contains(Permissions, s) {
			return nil, errs.New(errs.Invalid, "unknown scope %q", s).At("scopes")
		}
	}
	clean := []Permission{}
	for _, p := range Permissions {
		if slices.Contains(scopes, p) {
			clean = append(clean, p)
		}
	}
	return clean, nil
}
