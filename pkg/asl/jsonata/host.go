package jsonata

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	mathrand "math/rand/v2"

	"github.com/dop251/goja"
)

// hashes are the algorithms of $hash in Step Functions' spelling.
var hashes = map[string]func() hash.Hash{
	"MD5": md5.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
}

// bindHost gives the runtime the functions that the glue calls.
func bindHost(m *machine) error {
	vm := m.vm
	host := map[string]any{
		"__hash": digest(vm), "__uuid": newUUID, "__random": mathrand.Float64, "__btoa": encodeBinary, "__atob": decodeBinary,
		"__late": m.late.Load,
	}
	host["self"] = vm.GlobalObject() // where the bundle looks for Buffer
	for name, f := range host {
		if err := vm.Set(name, f); err != nil {
			return fmt.Errorf("bind %s: %w", name, err)
		}
	}
	return nil
}

func digest(vm *goja.Runtime) func(text, algorithm string) goja.Value {
	return func(text, algorithm string) goja.Value {
		f, ok := hashes[algorithm]
		if !ok {
			return goja.Null()
		}
		h := f()
		h.Write([]byte(text))
		return vm.ToValue(hex.EncodeToString(h.Sum(nil)))
	}
}

// newUUID makes a version 4 UUID (RFC 9562).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// encodeBinary is base64 of a "binary" string: one byte per character, as Node's Buffer does it.
func encodeBinary(text string) string {
	bytes := make([]byte, 0, len(text))
	for _, r := range text {
		bytes = append(bytes, byte(r))
	}
	return base64.StdEncoding.EncodeToString(bytes)
}

// decodeBinary is lenient, like Node: characters outside the alphabet are skipped.
func decodeBinary(text string) string {
	kept := make([]byte, 0, len(text))
	for i := range len(text) {
		if c := text[i]; isBase64(c) {
			kept = append(kept, c)
		}
	}
	raw, _ := base64.RawStdEncoding.DecodeString(string(kept))
	runes := make([]rune, len(raw))
	for i, b := range raw {
		runes[i] = rune(b)
	}
	return string(runes)
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}
