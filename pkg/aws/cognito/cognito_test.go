package cognito_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/cognito"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

// company is a user pool of moto with a group per role.
type company struct {
	*testing.T
	*cognito.Pool
	api    *idp.Client
	id     string
	client string
}

func newCompany(t *testing.T) company {
	endpoint := porttest.Moto(t)
	api := idp.New(idp.Options{Region: "eu-central-1", BaseEndpoint: &endpoint, Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		})})
	var groups []string
	for _, role := range identity.Roles {
		groups = append(groups, string(role))
	}
	pool, client := porttest.UserPool(t, identity.MinPassword, groups...)
	c := company{T: t, api: api, id: pool, client: client}
	issuer := "https://cognito-idp.eu-central-1.amazonaws.com/" + c.id
	keys := cognito.NewKeys(endpoint+"/"+c.id+"/.well-known/jwks.json", ids.WallClock)
	c.Pool = cognito.New(api, c.id, c.client, cognito.NewVerifier(keys, issuer, c.client, ids.WallClock))
	return c
}

const pass = "a long password"

// account makes Ann with some roles.
func (c company) account(roles ...identity.Role) string {
	c.Helper()
	subject, err := c.Put(c.Context(), identity.Account{Login: "ann@x.eu", Name: "Ann", Roles: roles})
	require.NoError(c, err)
	require.NoError(c, c.SetPassword(c.Context(), subject, pass, false))
	return subject
}

// tokens are what a program of Ann's gets of the pool itself.
func (c company) tokens() *types.AuthenticationResultType {
	c.Helper()
	out, err := c.api.AdminInitiateAuth(c.Context(), &idp.AdminInitiateAuthInput{UserPoolId: &c.id, ClientId: &c.client,
		AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": "ann@x.eu", "PASSWORD": pass}})
	require.NoError(c, err)
	return out.AuthenticationResult
}

func TestPool_SignIn(t *testing.T) {
	c := newCompany(t)
	subject := c.account(identity.Viewer, identity.Approver)
	got, err := c.SignIn(t.Context(), "ann@x.eu", pass)
	require.NoError(t, err)
	require.Equal(t, identity.Claims{Subject: subject, Login: "ann@x.eu", Name: "Ann", Roles: []identity.Role{identity.Viewer, identity.Approver}, Issued: got.Issued}, got)
	for login, pw := range map[string]string{"ann@x.eu": "wrong", "ben@x.eu": pass, "": pass, "eve@x.eu": ""} {
		_, err := c.SignIn(t.Context(), login, pw)
		require.Equal(t, errs.Unauthenticated, errs.CodeOf(err), "%s %v", login, err)
	}
	require.NoError(t, c.SetPassword(t.Context(), subject, "for once only", true))
	got, err = c.SignIn(t.Context(), "ann@x.eu", "for once only")
	require.NoError(t, err)
	require.True(t, got.Once)
	require.Equal(t, subject, got.Subject)
}

func TestPool_Verify_TakesTheTokensThatThePoolSigns(t *testing.T) {
	c := newCompany(t)
	subject := c.account(identity.MLEngineer)
	tokens := c.tokens()
	access, err := c.Verify(t.Context(), *tokens.AccessToken)
	require.NoError(t, err)
	require.Equal(t, identity.Claims{Subject: subject, Roles: []identity.Role{identity.MLEngineer}, Issued: access.Issued}, access)
	id, err := c.Verify(t.Context(), *tokens.IdToken)
	require.NoError(t, err)
	require.Equal(t, subject, id.Subject)
	require.Equal(t, []identity.Role{identity.MLEngineer}, id.Roles)
	other := newCompany(t)
	_, err = other.Verify(t.Context(), *tokens.AccessToken)
	require.Equal(t, errs.Unauthenticated, errs.CodeOf(err), "another pool's")
}

func TestPool_Put_MakesAndChanges(t *testing.T) {
	c := newCompany(t)
	subject := c.account(identity.Viewer, identity.Admin)
	_, err := c.api.AdminAddUserToGroup(t.Context(), &idp.AdminAddUserToGroupInput{UserPoolId: &c.id, Username: &subject, GroupName: aws.String("viewer")})
	require.NoError(t, err)
	for range 2 {
		again, err := c.Put(t.Context(), identity.Account{Login: "ann@x.eu", Name: "Ann B.", Roles: []identity.Role{identity.DataEngineer, identity.Admin}})
		require.NoError(t, err)
		require.Equal(t, subject, again)
	}
	got, err := c.SignIn(t.Context(), "ann@x.eu", pass)
	require.NoError(t, err)
	require.Equal(t, "Ann B.", got.Name)
	require.Equal(t, []identity.Role{identity.DataEngineer, identity.Admin}, got.Roles)

	_, err = c.Put(t.Context(), identity.Account{Login: "ann@x.eu", Roles: got.Roles, Disabled: true})
	require.NoError(t, err)
	_, err = c.SignIn(t.Context(), "ann@x.eu", pass)
	require.Equal(t, errs.Unauthenticated, errs.CodeOf(err))
	_, err = c.Put(t.Context(), identity.Account{Login: "ann@x.eu", Roles: got.Roles})
	require.NoError(t, err)
	_, err = c.SignIn(t.Context(), "ann@x.eu", pass)
	require.NoError(t, err)
}

func TestPool_Put_RefusesWhatIsNoAddress(t *testing.T) {
	c := newCompany(t)
	_, err := c.Put(t.Context(), identity.Account{Login: "ann", Roles: []identity.Role{identity.Viewer}})
	require.Equal(t, errs.Invalid, errs.CodeOf(err))
	require.ErrorContains(t, err, "login")
}

func TestPool_SetPassword_KeepsThePoolsRule(t *testing.T) {
	c := newCompany(t)
	subject := c.account(identity.Viewer)
	require.Equal(t, errs.Invalid, errs.CodeOf(c.SetPassword(t.Context(), subject, "short", false)))
	require.Equal(t, errs.Unauthenticated, errs.CodeOf(c.SetPassword(t.Context(), "nobody", pass, false)))
}

// failing is a pool whose every answer is an error.
type failing struct {
	cognito.API
	err error
}

func (f failing) AdminInitiateAuth(context.Context, *idp.AdminInitiateAuthInput, ...func(*idp.Options)) (*idp.AdminInitiateAuthOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	return &idp.AdminInitiateAuthOutput{ChallengeName: types.ChallengeNameTypeSoftwareTokenMfa}, nil
}

func TestPool_SignIn_TellsFaultsApart(t *testing.T) {
	for code, err := range map[errs.Code]error{
		errs.Unavailable: &smithy.GenericAPIError{Code: "TooManyRequestsException"},
		errs.Internal:    &smithy.GenericAPIError{Code: "AccessDeniedException"},
		errs.Forbidden:   nil,
	} {
		_, got := cognito.New(failing{err: err}, "p", "c", nil).SignIn(t.Context(), "ann@x.eu", pass)
		require.Equal(t, code, errs.CodeOf(got), "%v", got)
	}
	_, got := cognito.New(failing{err: errors.New("no route to host")}, "p", "c", nil).SignIn(t.Context(), "ann@x.eu", pass)
	require.Equal(t, errs.Unavailable, errs.CodeOf(got))
}
