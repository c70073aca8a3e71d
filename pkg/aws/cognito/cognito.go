// Package cognito keeps people and their passwords in a user pool of Cognito, with one group per role.
package cognito

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// API is what the adapter calls of Cognito. A *cognitoidentityprovider.Client is one.
type API interface {
	askers
	accounts
	groups
}

type askers interface {
	AdminInitiateAuth(context.Context, *idp.AdminInitiateAuthInput, ...func(*idp.Options)) (*idp.AdminInitiateAuthOutput, error)
	AdminGetUser(context.Context, *idp.AdminGetUserInput, ...func(*idp.Options)) (*idp.AdminGetUserOutput, error)
	AdminSetUserPassword(context.Context, *idp.AdminSetUserPasswordInput, ...func(*idp.Options)) (*idp.AdminSetUserPasswordOutput, error)
	AdminUserGlobalSignOut(context.Context, *idp.AdminUserGlobalSignOutInput, ...func(*idp.Options)) (*idp.AdminUserGlobalSignOutOutput, error)
}

type accounts interface {
	AdminCreateUser(context.Context, *idp.AdminCreateUserInput, ...func(*idp.Options)) (*idp.AdminCreateUserOutput, error)
	AdminUpdateUserAttributes(context.Context, *idp.AdminUpdateUserAttributesInput, ...func(*idp.Options)) (*idp.AdminUpdateUserAttributesOutput, error)
	AdminEnableUser(context.Context, *idp.AdminEnableUserInput, ...func(*idp.Options)) (*idp.AdminEnableUserOutput, error)
	AdminDisableUser(context.Context, *idp.AdminDisableUserInput, ...func(*idp.Options)) (*idp.AdminDisableUserOutput, error)
}

type groups interface {
	AdminListGroupsForUser(context.Context, *idp.AdminListGroupsForUserInput, ...func(*idp.Options)) (*idp.AdminListGroupsForUserOutput, error)
	AdminAddUserToGroup(context.Context, *idp.AdminAddUserToGroupInput, ...func(*idp.Options)) (*idp.AdminAddUserToGroupOutput, error)
	AdminRemoveUserFromGroup(context.Context, *idp.AdminRemoveUserFromGroupInput, ...func(*idp.Options)) (*idp.AdminRemoveUserFromGroupOutput, error)
}

// Pool is a user pool as a directory.
type Pool struct {
	*Verifier
	api    API
	id     string
	client string
}

var _ identity.Directory = (*Pool)(nil)

// New gives the pool with an id such as "eu-central-1_Ab12Cd34E", as one of its app clients.
func New(api API, id, client string, v *Verifier) *Pool {
	return &Pool{Verifier: v, api: api, id: id, client: client}
}

// SignIn checks a password. Who must choose a new one is let in to do so.
func (p *Pool) SignIn(ctx context.Context, login, password string) (identity.Claims, error) {
	if login == "" || password == "" {
		return identity.Claims{}, errWrong
	}
	out, err := p.api.AdminInitiateAuth(ctx, &idp.AdminInitiateAuthInput{UserPoolId: &p.id, ClientId: &p.client,
		AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": login, "PASSWORD": password}})
	if err != nil {
		return identity.Claims{}, classify("sign in", err)
	}
	once := out.ChallengeName == types.ChallengeNameTypeNewPasswordRequired
	if out.ChallengeName != "" && !once {
		return identity.Claims{}, errs.New(errs.Forbidden, "the account wants the second factor %s", out.ChallengeName).
			Mend("switch it off for this account: the sign-in knows passwords only")
	}
	return p.lookUp(ctx, login, once)
}

func (p *Pool) lookUp(ctx context.Context, login string, once bool) (identity.Claims, error) {
	u, err := p.api.AdminGetUser(ctx, &idp.AdminGetUserInput{UserPoolId: &p.id, Username: &login})
	if err != nil {
		return identity.Claims{}, classify("read the account", err)
	}
	names, err := p.groupsOf(ctx, login)
	if err != nil {
		return identity.Claims{}, err
	}
	return identity.Claims{Subject: attribute(u.UserAttributes, "sub"), Login: attribute(u.UserAttributes, "email"),
		Name: attribute(u.UserAttributes, "name"), Roles: identity.RolesOf(names), Once: once, Issued: p.clock()}, nil
}

func (p *Pool) groupsOf(ctx context.Context, login string) ([]string, error) {
	var names []string
	pages := idp.NewAdminListGroupsForUserPaginator(p.api, &idp.AdminListGroupsForUserInput{UserPoolId: &p.id, Username: &login})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, classify("read the groups", err)
		}
		for _, g := range page.Groups {
			names = append(names, aws.ToString(g.GroupName))
		}
	}
	return names, nil
}

func attribute(list []types.AttributeType, name string) string {
	for _, a := range list {
		if aws.ToString(a.Name) == name {
			return aws.ToString(a.Value)
		}
	}
	return ""
}

var errWrong = errs.New(errs.Unauthenticated, "login or password is wrong")

// codes classifies Cognito's errors, once. Others are errs.Unavailable.
var codes = map[string]errs.Code{
	"NotAuthorizedException": errs.Unauthenticated, "UserNotFoundException": errs.Unauthenticated,
	"UserNotConfirmedException": errs.Unauthenticated, "PasswordResetRequiredException": errs.Unauthenticated,
	"InvalidPasswordException": errs.Invalid, "InvalidParameterException": errs.Invalid,
	"AccessDeniedException": errs.Internal, "ResourceNotFoundException": errs.Internal, "InvalidUserPoolConfigurationException": errs.Internal,
}

func classify(doing string, err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return errs.New(errs.Unavailable, "%s: Cognito cannot be reached: %w", doing, err)
	}
	switch code, ok := codes[api.ErrorCode()]; {
	case !ok:
		return errs.New(errs.Unavailable, "%s: %w", doing, err)
	case code == errs.Invalid:
		return errs.New(errs.Invalid, "%s: %s", doing, api.ErrorMessage())
	default:
		return errs.New(code, "%s: %w", doing, err)
	}
}
