package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Log is the write path and the event log over one table.
type Log struct {
	table table.Table
	clock ids.Clock
	newID ids.Source
	wait  Wait
	turn  chan struct{} // holds the one token of who may move the head in this process

	mu      sync.Mutex
	changed chan struct{} // closed at the next commit

	head *headState // last known, nil = unknown; owned by who holds the turn
}

var (
	_ Committer = (*Log)(nil)
	_ Feed      = (*Log)(nil)
)

// Wait pauses for a back-off; it ends early with the context's error.
type Wait func(ctx context.Context, d time.Duration) error

// Sleep is the real Wait.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NewLog opens the log in a table. Several processes may write to the same table.
func NewLog(t table.Table, clock ids.Clock, newID ids.Source) *Log {
	l := &Log{table: t, clock: clock, newID: newID, wait: Sleep, turn: make(chan struct{}, 1), changed: make(chan struct{})}
	l.turn <- struct{}{}
	return l
}

// SetWait replaces how back-offs pause. For tests.
func (l *Log) SetWait(w Wait) { l.wait = w }

// Bounds of the retry on a head that another process moved. Waits are jittered and double.
const (
	headTries = 24
	firstWait = 2 * time.Millisecond
	mostWait  = 250 * time.Millisecond
)

// Commit writes the change. A failed condition of the change's own is returned at once; only a head
// that moved meanwhile is retried, and given up as errs.Unavailable after many tries.
func (l *Log) Commit(ctx context.Context, c Change) (Event, error) {
	if err := check(c); err != nil {
		return Event{}, err
	}
	if err := l.take(ctx); err != nil {
		return Event{}, err
	}
	defer func() { l.turn <- struct{}{} }()
	for try := range headTries {
		event, again, err := l.try(ctx, c)
		if !again {
			return event, err
		}
		if err := l.wait(ctx, backoff(firstWait, mostWait, try)); err != nil {
			return Event{}, err
		}
	}
	return Event{}, errs.New(errs.Unavailable, "too many writers at once").Mend("try again")
}

// take waits for the turn to move the head.
func (l *Log) take(ctx context.Context) error {
	select {
	case <-l.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		l.turn <- struct{}{}
		return err
	}
	return nil
}

// backoff is between half and the whole of first·2^try, at most the given most.
func backoff(first, most time.Duration, try int) time.Duration {
	d := min(first<<min(try, 30), most)
	return d/2 + rand.N(d/2+1)
}

const maxOps = 90

func check(c Change) error {
	switch {
	case c.Type == "":
		return errs.New(errs.Invalid, "a change needs a type")
	case c.Actor.ID == "":
		return errs.New(errs.Invalid, "a change needs an actor")
	case c.Subject.Type == "" || c.Subject.ID == "":
		return errs.New(errs.Invalid, "a change needs a subject")
	case len(c.Ops) > maxOps:
		return errs.New(errs.Invalid, "%d operations in a change, more than %d", len(c.Ops), maxOps)
	}
	return nil
}

// try makes one attempt; again tells that the head had moved.
func (l *Log) try(ctx context.Context, c Change) (event Event, again bool, err error) {
	head, err := l.current(ctx)
	if err != nil {
		return Event{}, false, err
	}
	w, err := l.prepare(c, head)
	if err != nil {
		return Event{}, false, err
	}
	err = l.table.Write(ctx, "", w.ops...)
	if err == nil {
		l.head = &w.next
		l.announce()
		return w.event, false, nil
	}
	l.head = nil // moved, or the outcome is unknown
	failed, canceled := split(err, len(c.Ops), w.once)
	switch {
	case !canceled:
		return Event{}, false, fmt.Errorf("commit %s: %w", c.Type, err)
	case failed.once:
		event, err = l.first(ctx, c.Key)
		return event, false, err
	case len(failed.own) > 0:
		return Event{}, false, &table.CanceledError{Failed: failed.own}
	}
	return Event{}, true, nil
}

// announce wakes all who wait on Changed.
func (l *Log) announce() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Changed gives a channel that is closed at the next commit through this Log. Take it before reading
// the feed, so that no commit is missed. Commits of other processes do not show here.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// first gives the event that the first commit with the key made.
func (l *Log) first(ctx context.Context, key string) (Event, error) {
	it, err := l.table.Get(ctx, onceKey(key), table.Consistent)
	if err != nil {
		return Event{}, fmt.Errorf("read idempotency row: %w", err)
	}
	var row once
	if err := json.Unmarshal(it.Body, &row); err != nil {
		return Event{}, fmt.Errorf("decode idempotency row: %w", err)
	}
	var event Event
	if it, err = l.table.Get(ctx, eventKey(row.Seq), table.Consistent); err != nil {
		return Event{}, fmt.Errorf("read event %d: %w", row.Seq, err)
	}
	if err := json.Unmarshal(it.Body, &event); err != nil {
		return Event{}, fmt.Errorf("decode event %d: %w", row.Seq, err)
	}
	return event, nil
}
