package host_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/cognito"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

// anybody are credentials that the fakes take.
var anybody = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
})

// pool is a user pool of moto with nobody in it.
type pool struct {
	*cognito.Pool
	api        *idp.Client
	id, client string
}

func people(t *testing.T) pool {
	endpoint := porttest.Moto(t)
	var groups []string
	for _, role := range identity.Roles {
		groups = append(groups, string(role))
	}
	p := pool{api: idp.New(idp.Options{Region: "eu-central-1", BaseEndpoint: &endpoint, Credentials: anybody})}
	p.id, p.client = porttest.UserPool(t, identity.MinPassword, groups...)
	keys := cognito.NewKeys(endpoint+"/"+p.id+"/.well-known/jwks.json", ids.WallClock)
	issuer := "https://cognito-idp.eu-central-1.amazonaws.com/" + p.id
	p.Pool = cognito.New(p.api, p.id, p.client, cognito.NewVerifier(keys, issuer, p.client, ids.WallClock))
	return p
}

// invite makes an account as the stack's first admin is made: by Cognito alone.
func (p pool) invite(t *testing.T, email, password string) {
	t.Helper()
	_, err := p.api.AdminCreateUser(t.Context(), &idp.AdminCreateUserInput{UserPoolId: &p.id, Username: &email, TemporaryPassword: &password})
	require.NoError(t, err)
	_, err = p.api.AdminAddUserToGroup(t.Context(), &idp.AdminAddUserToGroupInput{UserPoolId: &p.id, Username: &email, GroupName: aws.String("admin")})
	require.NoError(t, err)
}

// token is an access token that a program of somebody's gets of the pool itself.
func (p pool) token(t *testing.T, email, password string) string {
	t.Helper()
	out, err := p.api.AdminInitiateAuth(t.Context(), &idp.AdminInitiateAuthInput{UserPoolId: &p.id, ClientId: &p.client,
		AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password}})
	require.NoError(t, err)
	return *out.AuthenticationResult.AccessToken
}

// browser talks to the API with a session cookie, as the web app does.
type browser struct {
	*testing.T
	api    http.Handler
	cookie string
	bearer string
}

func (b *browser) do(method, path, body string, out any) int {
	b.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Requested-With", "perennial")
	if b.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+b.bearer)
	} else {
		r.Header.Set("Cookie", b.cookie)
	}
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c.Name + "=" + c.Value
	}
	if out != nil {
		require.NoError(b, json.Unmarshal(w.Body.Bytes(), out), w.Body.String())
	}
	return w.Code
}

func (b *browser) signIn(user, password string) int {
	b.Helper()
	body, err := json.Marshal(map[string]string{"user": user, "password": password})
	require.NoError(b, err)
	return b.do("POST", "/v1/session", string(body), nil)
}

// From the invitation that Cognito mails to people who work, are reset and are switched off, all by the API.
func TestPlatform_API_PeopleAreThoseOfTheUserPool(t *testing.T) {
	p, dir := wired(t), people(t)
	p.Directory, p.Identity.Directory = dir, dir
	api, err := p.API()
	require.NoError(t, err)
	dir.invite(t, "root@x.eu", "Mailed-by-cognito-1")
	root := &browser{T: t, api: api}
	require.Equal(t, 401, root.signIn("root@x.eu", "guess"))
	require.Equal(t, 200, root.signIn("Root@x.eu", "Mailed-by-cognito-1"))
	require.Equal(t, 403, root.do("GET", "/v1/users", "", nil), "the mailed password must be changed first")
	require.Equal(t, 204, root.do("PUT", "/v1/me/password", `{"current":"Mailed-by-cognito-1","new":"correct horse battery"}`, nil))

	var made struct {
		User            struct{ ID string }
		OneTimePassword string
	}
	require.Equal(t, 201, root.do("POST", "/v1/users", `{"login":"ann@x.eu","name":"Ann","roles":["approver"]}`, &made))
	ann := &browser{T: t, api: api}
	require.Equal(t, 200, ann.signIn("ann@x.eu", made.OneTimePassword))
	require.Equal(t, 204, ann.do("PUT", "/v1/me/password", `{"current":"`+made.OneTimePassword+`","new":"another long password"}`, nil))

	program := &browser{T: t, api: api}
	var me struct {
		ID    string
		Roles []string
	}
	require.Eventually(t, func() bool { // a token of the second in which the password changed is refused
		program.bearer = dir.token(t, "ann@x.eu", "another long password")
		return program.do("GET", "/v1/me", "", &me) == 200
	}, 20*time.Second, 300*time.Millisecond)
	require.Equal(t, made.User.ID, me.ID, "the same person by cookie and by token")
	require.Equal(t, []string{"approver"}, me.Roles)
	require.Equal(t, 403, program.do("POST", "/v1/users", `{"login":"eve@x.eu","roles":["admin"]}`, nil))
	program.bearer += "x"
	require.Equal(t, 401, program.do("GET", "/v1/me", "", nil))

	var reset struct{ OneTimePassword string }
	require.Equal(t, 200, root.do("POST", "/v1/users/"+made.User.ID+"/password", `{"reason":"forgotten"}`, &reset))
	require.Equal(t, 401, ann.do("GET", "/v1/me", "", nil), "the reset ends sessions")
	require.Equal(t, 401, ann.signIn("ann@x.eu", "another long password"))
	require.Equal(t, 200, ann.signIn("ann@x.eu", reset.OneTimePassword))
	require.Equal(t, 200, root.do("POST", "/v1/users/"+made.User.ID+"/disable", `{"reason":"left"}`, nil))
	require.Equal(t, 401, ann.do("GET", "/v1/me", "", nil))
	require.Equal(t, 401, ann.signIn("ann@x.eu", reset.OneTimePassword))
}
