package object

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// MaxSigned is how long a signed address may hold, as in S3.
const MaxSigned = 7 * 24 * time.Hour

// Grant is the one content that a signed address takes.
type Grant struct {
	Size   int64         // bytes, exactly
	SHA256 string        // hex
	Lasts  time.Duration // from now on; up to MaxSigned
}

// Check refuses with errs.Invalid a grant that no store can give.
func (g Grant) Check() error {
	raw, err := hex.DecodeString(g.SHA256)
	switch {
	case g.Size < 0 || g.Size > MaxPart:
		return errs.New(errs.Invalid, "a signed upload has 0 to %d bytes, not %d", int64(MaxPart), g.Size).At("size")
	case err != nil || len(raw) != sha256.Size:
		return errs.New(errs.Invalid, "a signed upload names its content's SHA-256 in hex").At("sha256")
	case g.Lasts < time.Second || g.Lasts > MaxSigned:
		return errs.New(errs.Invalid, "a signed address lasts 1 s to %s, not %s", MaxSigned, g.Lasts).At("lasts")
	}
	return nil
}

// Signed is a request that whoever holds it may make once or more, without credentials: with these
// headers and the granted content, and no other.
type Signed struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Header  map[string]string `json:"header"`
	Expires time.Time         `json:"expires"`
}

// Signer lets others send contents straight into the store. An address that has expired or was
// changed, and a content that is not the granted one, are refused, and nothing is stored.
type Signer interface {
	// SignPut grants a whole object.
	SignPut(ctx context.Context, key string, g Grant) (Signed, error)
	// SignPart grants one part of an upload.
	SignPart(ctx context.Context, key, id string, number int, g Grant) (Signed, error)
}

// CheckNumber refuses with errs.Invalid a number that no part has.
func CheckNumber(number int) error {
	if number < 1 || number > MaxNumber {
		return errs.New(errs.Invalid, "part %d is not within 1 and %d", number, MaxNumber).At("part")
	}
	return nil
}

// Only reads the granted content and fails with errs.Invalid, at the latest at its end, when it is
// another, so that no store keeps it.
func (g Grant) Only(r io.Reader) io.Reader {
	return &only{r: r, grant: g, left: g.Size, sum: sha256.New()}
}

type only struct {
	r     io.Reader
	grant Grant
	left  int64
	sum   hash.Hash
}

// Read reads on.
func (o *only) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	o.sum.Write(p[:n])
	o.left -= int64(n)
	switch {
	case o.left < 0:
		return 0, errs.New(errs.Invalid, "the content has more than the granted %d bytes", o.grant.Size)
	case err != io.EOF:
		return n, err
	case o.left > 0:
		return 0, errs.New(errs.Invalid, "the content lacks %d of the granted %d bytes", o.left, o.grant.Size)
	case hex.EncodeToString(o.sum.Sum(nil)) != o.grant.SHA256:
		return 0, errs.New(errs.Invalid, "the content does not have the granted digest %s", o.grant.SHA256)
	}
	return n, err
}
