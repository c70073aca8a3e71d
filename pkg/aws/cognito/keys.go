package cognito

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
)

// Keys are the public keys with which a pool signs. They are fetched when a token names one that is not
// known yet, at most once a minute: made-up names cost no more than that.
type Keys struct {
	url    string
	client *http.Client
	clock  ids.Clock

	mu      sync.Mutex
	known   jose.JSONWebKeySet
	fetched time.Time
}

const (
	refetch  = time.Minute
	mostKeys = 64 << 10 // bytes
)

// NewKeys gives the keys at an address: the issuer's with /.well-known/jwks.json.
func NewKeys(url string, clock ids.Clock) *Keys {
	return &Keys{url: url, client: &http.Client{Timeout: 5 * time.Second}, clock: clock}
}

// Get gives a key by its id; errs.Unauthenticated when the pool has none, errs.Unavailable when it cannot
// be asked.
func (k *Keys) Get(ctx context.Context, id string) (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if found := k.known.Key(id); len(found) > 0 {
		return found[0], nil
	}
	if k.clock().Sub(k.fetched) >= refetch {
		if err := k.fetch(ctx); err != nil {
			return jose.JSONWebKey{}, errs.New(errs.Unavailable, "the signing keys of the user pool: %w", err)
		}
	}
	if found := k.known.Key(id); len(found) > 0 {
		return found[0], nil
	}
	return jose.JSONWebKey{}, refuse("no signing key %q", id)
}

func (k *Keys) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return errs.New(errs.Unavailable, "%s answers %s", k.url, resp.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(resp.Body, mostKeys)).Decode(&set); err != nil {
		return err
	}
	k.known, k.fetched = set, k.clock()
	return nil
}
