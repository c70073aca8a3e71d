package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Genesis is the hash before the first entry: 32 zero bytes in hex.
const Genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// Canonical gives the one JSON form of v that hashes are taken of: members sorted by bytes, no white
// space, no escapes for HTML, numbers in the spelling that they were written in.
func Canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tree); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

// digest is SHA-256 in hex of the canonical form.
func digest(v any) (string, error) {
	raw, err := Canonical(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// link gives an entry's hash: SHA-256(hash of the entry before ‖ canonical JSON of the entry
// without its own hash), in hex.
func link(prev string, e Entry) (string, error) {
	before, err := hex.DecodeString(prev)
	if err != nil {
		return "", fmt.Errorf("decode previous hash: %w", err)
	}
	e.Hash = ""
	raw, err := Canonical(e)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(before, raw...))
	return hex.EncodeToString(sum[:]), nil
}
