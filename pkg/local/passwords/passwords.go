// Package passwords hashes the passwords of built-in accounts with Argon2id (RFC 9106).
package passwords

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/perennial-llm/perennial/pkg/identity"
)

// Argon2id implements identity.Hasher. Hashes are PHC strings that carry their own parameters, so
// that these can be raised later.
type Argon2id struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

var _ identity.Hasher = Argon2id{}

// New has OWASP's recommended parameters: 19 MiB, 2 passes, 1 lane; about 20 ms a hash.
func New() Argon2id { return Argon2id{Memory: 19 << 10, Passes: 2, Lanes: 1} }

const (
	saltBytes = 16
	hashBytes = 32
	form      = "$argon2id$v=%d$m=%d,t=%d,p=%d$"
)

var b64 = base64.RawStdEncoding

// Hash gives the PHC string of a password under a new salt.
func (a Argon2id) Hash(password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make salt: %w", err)
	}
	sum := argon2.IDKey([]byte(password), salt, a.Passes, a.Memory, a.Lanes, hashBytes)
	head := fmt.Sprintf(form, argon2.Version, a.Memory, a.Passes, a.Lanes)
	return head + b64.EncodeToString(salt) + "$" + b64.EncodeToString(sum), nil
}

// Verify tells whether the password gives the hash; a text that is no such hash never matches.
func (a Argon2id) Verify(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return false
	}
	var version int
	var p Argon2id
	head := strings.Join(parts[:4], "$") + "$"
	if _, err := fmt.Sscanf(head, form, &version, &p.Memory, &p.Passes, &p.Lanes); err != nil || version != argon2.Version {
		return false
	}
	salt, serr := b64.DecodeString(parts[4])
	want, werr := b64.DecodeString(parts[5])
	if serr != nil || werr != nil || len(want) != hashBytes || !p.bounded() {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, p.Passes, p.Memory, p.Lanes, hashBytes)
	return subtle.ConstantTimeCompare(got, want) == 1
}

// bounded keeps a damaged record from asking for all memory.
func (a Argon2id) bounded() bool {
	return a.Memory >= 8 && a.Memory <= 1<<20 && a.Passes >= 1 && a.Passes <= 16 && a.Lanes >= 1 && a.Lanes <= 16
}
