// Package ids holds the two sources of non-determinism that core code may use: a clock and
// an id source. Hosts pass the real ones, tests pass fixed ones.
package ids

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Clock tells the time. Core code never calls time.Now.
type Clock func() time.Time

// Source makes prefixed, time-ordered ids such as "run_01j…".
type Source func(prefix string) string

// WallClock is the real clock in UTC with millisecond precision, as stored.
func WallClock() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// ULIDs returns a source of lower-case ULIDs that are monotone within a millisecond.
func ULIDs(clock Clock) Source {
	var mu sync.Mutex
	entropy := ulid.Monotonic(rand.Reader, 0)
	return func(prefix string) string {
		mu.Lock()
		defer mu.Unlock()
		id := ulid.MustNew(ulid.Timestamp(clock()), entropy)
		return prefix + "_" + strings.ToLower(id.String())
	}
}

// Sequence returns a source that counts: "run_000001", "run_000002" … For tests.
func Sequence() Source {
	var mu sync.Mutex
	n := 0
	return func(prefix string) string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return fmt.Sprintf("%s_%06d", prefix, n)
	}
}
