package object

import (
	"context"
	"io"
)

// Limits of multipart uploads, as in S3.
const (
	MinPart   = 5 << 20 // bytes of every part but the last
	MaxPart   = 5 << 30
	MaxNumber = 10000
)

// Part is one part of an upload, as stored.
type Part struct {
	Number int    `json:"number"` // 1–10,000
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // hex
	Tag    string `json:"tag"`    // the store's own name for the content
}

// Uploads takes large objects in parts, over days and restarts. Nothing is visible under the key
// before Complete. An upload that is not there is errs.NotFound.
type Uploads interface {
	// Create begins an upload and gives its id.
	Create(ctx context.Context, key string) (string, error)
	// PutPart stores a part, replacing one of the same number.
	PutPart(ctx context.Context, key, id string, number int, r io.Reader) (Part, error)
	// Complete makes the parts, in order of their numbers, the object.
	Complete(ctx context.Context, key, id string, parts []Part, opt PutOptions) (Info, error)
	// Abort drops the upload; one that is not there is no error.
	Abort(ctx context.Context, key, id string) error
}

// PartLister tells what an interrupted upload has already.
type PartLister interface {
	// Parts gives the stored parts in order of their numbers.
	Parts(ctx context.Context, key, id string) ([]Part, error)
}

// Versions reads older contents, on stores that keep them.
type Versions interface {
	// GetVersion opens one version of an object.
	GetVersion(ctx context.Context, key, version string, offset int64) (io.ReadCloser, Info, error)
	// Versions lists the versions of an object, newest first; digests may be missing.
	Versions(ctx context.Context, key string) ([]Info, error)
}
