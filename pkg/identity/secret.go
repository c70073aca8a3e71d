package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Prefixes of the two kinds of token, so that leaked ones can be recognized.
const (
	sessionPrefix = "pst_"
	keyPrefix     = "pkey_"
)

func (s *Service) random(n int) ([]byte, error) {
	source := s.Random
	if source == nil {
		source = rand.Reader
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(source, b); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return b, nil
}

// secret gives a token of 256 random bits. A fast hash of it is safe to keep.
func (s *Service) secret(prefix string) (string, error) {
	b, err := s.random(32)
	if err != nil {
		return "", err
	}
	return prefix + base64.RawURLEncoding.EncodeToString(b), nil
}

// oneTime gives a password of 100 random bits that is easy to copy by hand.
func (s *Service) oneTime() (string, error) {
	b, err := s.random(15)
	if err != nil {
		return "", err
	}
	text := strings.ToLower(base32.StdEncoding.EncodeToString(b))[:20]
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-"), nil
}

func fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
