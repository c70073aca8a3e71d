package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// inMemory is up to where content is spooled in memory; beyond it goes to a temporary file.
const inMemory = 8 << 20

// draft is content with its size and digest known.
type draft struct {
	small []byte
	file  *os.File // instead of small
	size  int64
	sum   []byte
}

func (d *draft) hex() string    { return hex.EncodeToString(d.sum) }
func (d *draft) base64() string { return base64.StdEncoding.EncodeToString(d.sum) }

// reader starts again from the beginning.
func (d *draft) reader() (io.ReadSeeker, error) {
	if d.file == nil {
		return bytes.NewReader(d.small), nil
	}
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewind temporary file: %w", err)
	}
	return d.file, nil
}

func (d *draft) drop() {
	if d.file != nil {
		_ = d.file.Close()
		_ = os.Remove(d.file.Name())
	}
}

// spool reads r to its end.
func spool(ctx context.Context, r io.Reader) (*draft, error) {
	sum := sha256.New()
	r = io.TeeReader(reader{ctx, r}, sum)
	var small bytes.Buffer
	n, err := io.CopyN(&small, r, inMemory)
	if err == io.EOF {
		return &draft{small: small.Bytes(), size: n, sum: sum.Sum(nil)}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read content: %w", err)
	}
	d := &draft{}
	if d.file, err = os.CreateTemp("", "perennial-s3-"); err != nil {
		return nil, errs.New(errs.Unavailable, "make temporary file: %w", err)
	}
	if d.size, err = io.Copy(d.file, io.MultiReader(&small, r)); err != nil {
		d.drop()
		return nil, fmt.Errorf("spool content: %w", err)
	}
	d.sum = sum.Sum(nil)
	return d, nil
}

// reader stops when the context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read reads on.
func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
