package porttest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// UserPool makes a user pool in moto as infra makes one: e-mail addresses as logins, passwords by length
// only, some groups, one app client.
func UserPool(t testing.TB, minPassword int, groups ...string) (pool, client string) {
	t.Helper()
	var p struct{ UserPool struct{ ID string } }
	// moto wants all kinds of characters unless it is told not to; Cognito wants none unless it is told to.
	cognito(t, "CreateUserPool", map[string]any{"PoolName": "perennial", "UsernameAttributes": []string{"email"},
		"Policies": map[string]any{"PasswordPolicy": map[string]any{"MinimumLength": minPassword, "RequireUppercase": false,
			"RequireLowercase": false, "RequireNumbers": false, "RequireSymbols": false}}}, &p)
	pool = p.UserPool.ID
	for _, g := range groups {
		cognito(t, "CreateGroup", map[string]any{"UserPoolId": pool, "GroupName": g}, nil)
	}
	var c struct{ UserPoolClient struct{ ClientID string } }
	cognito(t, "CreateUserPoolClient", map[string]any{"UserPoolId": pool, "ClientName": "web",
		"ExplicitAuthFlows": []string{"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}}, &c)
	return pool, c.UserPoolClient.ClientID
}

// cognito calls moto without the SDK, which leaves out what is false.
func cognito(t testing.TB, action string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, Moto(t), strings.NewReader(string(body)))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+action)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode, string(answer))
	if out != nil {
		require.NoError(t, json.Unmarshal(answer, out))
	}
}
