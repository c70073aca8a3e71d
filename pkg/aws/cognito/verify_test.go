package cognito_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/cognito"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

const (
	issuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E"
	web    = "4f0qclient"
)

// signer is a user pool as far as it signs and shows its keys.
type signer struct {
	*testing.T
	*cognito.Verifier
	clock   *porttest.Clock
	key     *rsa.PrivateKey
	fetches int
	status  int
}

func newKey(t *testing.T) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

func newSigner(t *testing.T) *signer {
	s := &signer{T: t, clock: porttest.NewClock(), key: newKey(t), status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fetches++
		w.WriteHeader(s.status)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	}))
	t.Cleanup(server.Close)
	s.Verifier = cognito.NewVerifier(cognito.NewKeys(server.URL, s.clock.Now), issuer, web, s.clock.Now)
	return s
}

// claims are those of an access token for the app client, with changes; nil takes one away.
func (s *signer) claims(change map[string]any) map[string]any {
	now := s.clock.Now().Unix()
	c := map[string]any{"iss": issuer, "sub": "s-1", "client_id": web, "token_use": "access", "iat": now, "auth_time": now, "exp": now + 900,
		"username": "s-1", "cognito:groups": []string{"approver", "eu-central-1_google", "viewer"}}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func (s *signer) sign(alg jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	s.Helper()
	how, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", id))
	require.NoError(s, err)
	raw, err := jwt.Signed(how).Claims(claims).Serialize()
	require.NoError(s, err)
	return raw
}

func (s *signer) token(change map[string]any) string {
	return s.sign(jose.RS256, s.key, "k1", s.claims(change))
}

func TestVerifier_Verify(t *testing.T) {
	s := newSigner(t)
	c, err := s.Verify(t.Context(), s.token(nil))
	require.NoError(t, err)
	require.Equal(t, identity.Claims{Subject: "s-1", Roles: []identity.Role{identity.Viewer, identity.Approver},
		Issued: c.Issued}, c)
	require.Equal(t, s.clock.Now().Unix(), c.Issued.Unix())

	c, err = s.Verify(t.Context(), s.token(map[string]any{"token_use": "id", "aud": web, "client_id": nil, "email": "ann@x.eu", "name": "Ann", "cognito:groups": nil}))
	require.NoError(t, err)
	require.Equal(t, "ann@x.eu", c.Login)
	require.Equal(t, "Ann", c.Name)
	require.Empty(t, c.Roles)
	require.Equal(t, 1, s.fetches, "keys are remembered")
}

func TestVerifier_Verify_Refuses(t *testing.T) {
	s := newSigner(t)
	now := s.clock.Now().Unix()
	good := s.token(nil)
	part := strings.Split(good, ".")
	admin, err := json.Marshal(s.claims(map[string]any{"cognito:groups": []string{"admin"}}))
	require.NoError(t, err)
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`))
	public, err := json.Marshal(jose.JSONWebKey{Key: s.key.Public()})
	require.NoError(t, err)
	for name, raw := range map[string]string{
		"another issuer":           s.token(map[string]any{"iss": strings.Replace(issuer, "Ab12", "Zz99", 1)}),
		"another client":           s.token(map[string]any{"client_id": "other"}),
		"another audience":         s.token(map[string]any{"token_use": "id", "aud": "other", "client_id": nil}),
		"an id token as access":    s.token(map[string]any{"aud": web, "client_id": nil}),
		"an access token as id":    s.token(map[string]any{"token_use": "id"}),
		"no use":                   s.token(map[string]any{"token_use": nil}),
		"a refresh token":          s.token(map[string]any{"token_use": "refresh"}),
		"expired":                  s.token(map[string]any{"exp": now - 11}),
		"no expiry":                s.token(map[string]any{"exp": nil}),
		"not yet":                  s.token(map[string]any{"nbf": now + 60}),
		"issued in the future":     s.token(map[string]any{"iat": now + 60}),
		"no time of issue":         s.token(map[string]any{"iat": nil}),
		"nobody":                   s.token(map[string]any{"sub": nil}),
		"another's key":            s.sign(jose.RS256, newKey(t), "k1", s.claims(nil)),
		"an unknown key":           s.sign(jose.RS256, newKey(t), "k2", s.claims(nil)),
		"a key without a name":     s.sign(jose.RS256, s.key, "", s.claims(nil)),
		"another algorithm":        s.sign(jose.PS256, s.key, "k1", s.claims(nil)),
		"the public key as secret": s.sign(jose.HS256, public, "k1", s.claims(nil)),
		"no signature":             none + "." + part[1] + ".",
		"changed claims":           part[0] + "." + base64.RawURLEncoding.EncodeToString(admin) + "." + part[2],
		"cut":                      good[:len(good)-4],
		"two parts":                part[0] + "." + part[1],
		"too long":                 good + strings.Repeat("A", 9000),
		"empty":                    "..",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Verify(t.Context(), raw)
			require.Equal(t, errs.Unauthenticated, errs.CodeOf(err), "%v", err)
		})
	}
}

func TestVerifier_Verify_TakesNewKeysWithoutBeingMadeToAskOften(t *testing.T) {
	s := newSigner(t)
	_, err := s.Verify(t.Context(), s.token(nil))
	require.NoError(t, err)
	for range 5 {
		_, err = s.Verify(t.Context(), s.sign(jose.RS256, s.key, "made-up", s.claims(nil)))
		require.Equal(t, errs.Unauthenticated, errs.CodeOf(err))
	}
	require.Equal(t, 1, s.fetches)
	s.clock.Advance(2 * time.Minute)
	_, err = s.Verify(t.Context(), s.sign(jose.RS256, s.key, "made-up", s.claims(nil)))
	require.Equal(t, errs.Unauthenticated, errs.CodeOf(err))
	require.Equal(t, 2, s.fetches)
}

func TestVerifier_Verify_TellsAPoolThatCannotBeAskedFromABadToken(t *testing.T) {
	s := newSigner(t)
	s.status = http.StatusServiceUnavailable
	_, err := s.Verify(t.Context(), s.token(nil))
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
	s.status = http.StatusOK
	_, err = s.Verify(t.Context(), s.token(nil))
	require.NoError(t, err)
}
