package object

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Verified digests an object's content while it is read from its beginning, and fails at the end
// with errs.Internal when that is not what info says. Without a known digest it changes nothing.
func Verified(r io.ReadCloser, info Info) io.ReadCloser {
	if info.SHA256 == "" {
		return r
	}
	return &verified{r: r, sum: sha256.New(), info: info}
}

type verified struct {
	r    io.ReadCloser
	sum  hash.Hash
	info Info
}

// Read reads on.
func (v *verified) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	v.sum.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(v.sum.Sum(nil)) != v.info.SHA256 {
		return n, errs.New(errs.Internal, "the content of %s is damaged: it does not have its digest %s", v.info.Key, v.info.SHA256)
	}
	return n, err
}

// Close closes the content.
func (v *verified) Close() error { return v.r.Close() }

// CheckOffset refuses with errs.Invalid an offset outside an object of the size.
func CheckOffset(offset, size int64) error {
	if offset < 0 || offset > size {
		return errs.New(errs.Invalid, "offset %d lies outside the object's %d bytes", offset, size)
	}
	return nil
}
