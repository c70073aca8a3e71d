// Package object is the port for immutable blobs: S3 on AWS, the file system on one machine.
// Keys are slash-separated (see CheckKey); a torn write is never visible.
package object

import (
	"context"
	"io"
	"time"
)

// Info describes one stored version of an object.
type Info struct {
	Key      string
	Version  string    // set on versioned stores; empty otherwise
	Size     int64     // bytes
	SHA256   string    // hex digest of the content; may be missing in List
	Modified time.Time // may be zero in the answer of a write
}

// PutOptions restrict a Put or the completion of an upload.
type PutOptions struct {
	IfAbsent bool   // fail with errs.Conflict when the key already exists
	SHA256   string // when set, fail with errs.Invalid unless the content has this hex digest
	// Unread lets Complete leave out Info.SHA256, unless SHA256 is set, where finding it out means reading the whole object.
	Unread bool
}

// Store keeps objects. Absent keys are errs.NotFound.
type Store interface {
	// Put stores the whole of r under key, or nothing.
	Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, error)
	// Get opens the object from byte offset on, at most its size; the caller closes it.
	Get(ctx context.Context, key string, offset int64) (io.ReadCloser, Info, error)
	// List gives objects whose keys begin with prefix, in byte order of keys, at most limit (0 = 1000),
	// after the key start.
	List(ctx context.Context, prefix, start string, limit int) ([]Info, error)
	// Delete removes an object; removing what is not there is no error.
	Delete(ctx context.Context, key string) error
}
