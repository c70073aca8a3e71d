package table

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
)

// TokenLife is how long a token protects a write, as in DynamoDB.
const TokenLife = 10 * time.Minute

// Fingerprint tells writes under one token apart: SHA-256 over the operations.
func Fingerprint(ops []Op) ([]byte, error) {
	raw, err := json.Marshal(ops)
	if err != nil {
		return nil, fmt.Errorf("encode operations: %w", err)
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}
