package rows

import (
	"errors"
	"fmt"
	"io"
)

// sourceError marks an error of the source, which is no fault of the file.
type sourceError struct{ err error }

func (e sourceError) Error() string { return fmt.Sprintf("read source: %v", e.err) }
func (e sourceError) Unwrap() error { return e.err }

// counter counts what is read from the source.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = sourceError{err}
	}
	return n, err
}

// capped stops a file that expands without end.
type capped struct {
	in     io.Reader
	source *counter
	limits Limits
	n      int64
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	if c.n > c.limits.MaxBytes {
		return 0, &Problem{Rule: RuleTooLarge, Expected: "at most " + size(c.limits.MaxBytes), Found: "more; split the file"}
	}
	if c.n > c.limits.RatioFree+c.limits.MaxRatio*c.source.n {
		return 0, &Problem{Rule: RuleRatio, Expected: fmt.Sprintf("data that expands at most %d times", c.limits.MaxRatio), Found: "more"}
	}
	return n, damaged(err)
}

func size(n int64) string {
	for _, u := range []struct {
		name string
		n    int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.n {
			return fmt.Sprintf("%.4g %s", float64(n)/float64(u.n), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
