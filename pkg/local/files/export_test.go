package files

import (
	"context"
	"crypto/sha256"
	"io"
)

// Steps makes the store tell each step of its writes.
func Steps(tell func(step string)) Option { return func(s *Store) { s.step = tell } }

// Copy copies content into a file as a put does.
func Copy(f io.Writer, content io.Reader) error {
	return copyAll(context.Background(), f, sha256.New(), content)
}
