package cognito

import (
	"context"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
)

// Verifier holds tokens of a pool to its signing keys, its address, the app client and the time.
type Verifier struct {
	keys   *Keys
	issuer string
	client string
	clock  ids.Clock
}

// NewVerifier gives the verifier for tokens that an issuer such as
// "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E" made for an app client.
func NewVerifier(keys *Keys, issuer, client string, clock ids.Clock) *Verifier {
	return &Verifier{keys: keys, issuer: issuer, client: client, clock: clock}
}

// token is what Cognito writes into its tokens. An id token names the client as audience, an access token
// as client_id.
type token struct {
	jwt.Claims
	Use    string   `json:"token_use"`
	Client string   `json:"client_id"`
	Groups []string `json:"cognito:groups"`
	Email  string   `json:"email"`
	Name   string   `json:"name"`
}

// leeway is for clocks that differ.
const leeway = 10 * time.Second

// mostToken bounds what is decoded at all.
const mostToken = 8 << 10

// Verify tells what an id or access token says. Only an id token tells login and name.
func (v *Verifier) Verify(ctx context.Context, raw string) (identity.Claims, error) {
	if len(raw) > mostToken {
		return identity.Claims{}, refuse("it is longer than %d bytes", mostToken)
	}
	signed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return identity.Claims{}, refuse("%w", err)
	}
	key, err := v.keys.Get(ctx, signed.Headers[0].KeyID)
	if err != nil {
		return identity.Claims{}, err
	}
	var t token
	if err := signed.Claims(key, &t); err != nil {
		return identity.Claims{}, refuse("%w", err)
	}
	if err := v.check(t); err != nil {
		return identity.Claims{}, err
	}
	return identity.Claims{Subject: t.Subject, Login: t.Email, Name: t.Name, Roles: identity.RolesOf(t.Groups), Issued: t.IssuedAt.Time()}, nil
}

func (v *Verifier) check(t token) error {
	if t.Expiry == nil || t.IssuedAt == nil || t.Subject == "" {
		return refuse("exp, iat or sub is missing")
	}
	if err := t.ValidateWithLeeway(jwt.Expected{Issuer: v.issuer, Time: v.clock()}, leeway); err != nil {
		return refuse("%w", err)
	}
	id := t.Use == "id" && slices.Contains(t.Audience, v.client)
	access := t.Use == "access" && t.Client == v.client
	if !id && !access {
		return refuse("it is no id or access token for this app client")
	}
	return nil
}

func refuse(format string, args ...any) error {
	return errs.New(errs.Unauthenticated, "the token does not hold: "+format, args...)
}
