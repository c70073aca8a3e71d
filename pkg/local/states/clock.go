package states

import "time"

type wallClock struct{}

// Now is the wall clock, to the millisecond.
func (wallClock) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// AfterFunc calls f when the wall clock has passed at.
func (wallClock) AfterFunc(at time.Time, f func()) func() {
	t := time.AfterFunc(time.Until(at)+time.Millisecond, f) // Now truncates
	return func() { t.Stop() }
}
