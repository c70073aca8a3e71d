// Package porttest holds one conformance suite per port. Every adapter, local or AWS, runs the
// same suite in its own tests, so that one behavior holds everywhere.
package porttest

import (
	"sync"
	"time"

	"github.com/perennial-llm/perennial/pkg/ids"
)

// Clock is a clock that tests move by hand.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock stands at a fixed time.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)} }

// Now is an ids.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var _ ids.Clock = (*Clock)(nil).Now
