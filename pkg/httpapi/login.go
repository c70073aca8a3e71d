package httpapi

import (
	"sync"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
)

// hosts slows down who tries many names from one address; tries of one name are counted by
// pkg/identity. It lives in memory: on AWS each instance of the function counts for itself, before Cognito does.
type hosts struct {
	clock ids.Clock
	mu    sync.Mutex
	tries map[string]*tries
}

type tries struct {
	n     int
	since time.Time
}

const (
	hostWindow  = 5 * time.Minute
	mostPerHost = 50     // failed sign-ins in a window
	mostHosts   = 10_000 // remembered; beyond that the expired ones are dropped
)

func newHosts(clock ids.Clock) *hosts { return &hosts{clock: clock, tries: map[string]*tries{}} }

// allowed refuses another try from an address that failed too often, and says how long to wait.
func (l *hosts) allowed(host string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tries[host]
	if t == nil || t.n < mostPerHost {
		return nil
	}
	wait := t.since.Add(hostWindow).Sub(l.clock())
	if wait <= 0 {
		delete(l.tries, host)
		return nil
	}
	return &waitError{errs.New(errs.Exhausted, "too many failed sign-ins from this address").
		Mend("wait %d seconds", seconds(wait)), seconds(wait)}
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// failed counts a wrong password.
func (l *hosts) failed(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if len(l.tries) >= mostHosts {
		l.drop(now)
	}
	t := l.tries[host]
	if t == nil || now.After(t.since.Add(hostWindow)) {
		t = &tries{since: now}
		l.tries[host] = t
	}
	t.n++
}

func (l *hosts) drop(now time.Time) {
	for host, t := range l.tries {
		if now.After(t.since.Add(hostWindow)) {
			delete(l.tries, host)
		}
	}
}
