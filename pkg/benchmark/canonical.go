package benchmark

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// Canonical gives v as JSON with sorted keys, no spaces and no HTML escaping: equal values give equal bytes.
// Numbers keep Go's shortest form. It fails on values that JSON cannot hold, such as NaN.
func Canonical(v any) ([]byte, error) {
	raw, err := plainJSON(v)
	if err != nil {
		return nil, fmt.Errorf("canonical json: %w", err)
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("canonical json: %w", err)
	}
	return plainJSON(tree)
}

func plainJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

// mustCanonical is Canonical for our own types, which JSON can always hold once validated; a value that it
// cannot (a NaN in scorer parameters set by code) is spelled out instead, so that digests still differ.
func mustCanonical(v any) []byte {
	out, err := Canonical(v)
	if err != nil {
		return fmt.Appendf(nil, "%+v", v)
	}
	return out
}

// Digest is "sha256:" and the hash of the canonical form of v.
func Digest(v any) string { return DigestBytes(mustCanonical(v)) }

// DigestBytes is "sha256:" and the hash of b.
func DigestBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// canonicalItems sorts by id, so that the order in a file does not matter.
func canonicalItems(items []Item) []Item {
	out := slices.Clone(items)
	slices.SortStableFunc(out, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
