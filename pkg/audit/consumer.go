package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Handler takes one event. Delivery is at least once and in order: it must be idempotent, by
// Event.Seq or by a Change.Key of its own.
type Handler func(ctx context.Context, e Event) error

// Consumer reads the feed with a cursor in the table, so that it goes on after a restart where it
// was. An event that fails again and again is put aside as a dead letter, which can be replayed, and
// the following ones go on.
type Consumer struct {
	Name   string // of the cursor and the dead letters; stable
	Feed   Feed
	Table  table.Table
	Clock  ids.Clock
	Handle Handler

	Changed func() <-chan struct{} // Log.Changed; nil = only polling
	Poll    time.Duration          // how long to wait at most for a commit; 0 = 5 s
	Tries   int                    // per event; 0 = 5
	Batch   int                    // events between two moves of the cursor; 0 = 50
	Wait    Wait                   // nil = Sleep
}

// Bounds of the back-off between the tries of one event.
const (
	retryFirst = 200 * time.Millisecond
	retryMost  = 10 * time.Second
)

type position struct {
	Seq int64 `json:"seq"`
}

func (c *Consumer) cursorKey() table.Key { return table.Key{PK: "CONSUMER#" + c.Name, SK: "CURSOR"} }

// Run handles events as they come, until the context ends, whose error it returns. Reading errors
// are waited out.
func (c *Consumer) Run(ctx context.Context) error {
	for try := 0; ; {
		changed := c.changed()
		n, err := c.Step(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			slog.WarnContext(ctx, "event consumer waits", "consumer", c.Name, "error", err)
			if err := c.wait(ctx, backoff(retryFirst, retryMost, try)); err != nil {
				return err
			}
			try++
			continue
		}
		try = 0
		if n == 0 {
			c.rest(ctx, changed)
		}
	}
}

func (c *Consumer) changed() <-chan struct{} {
	if c.Changed == nil {
		return nil
	}
	return c.Changed()
}

// rest waits for a commit or the time to poll.
func (c *Consumer) rest(ctx context.Context, changed <-chan struct{}) {
	timer := time.NewTimer(orDefault(c.Poll, 5*time.Second))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func orDefault[T ~int | ~int64](v, fallback T) T {
	if v > 0 {
		return v
	}
	return fallback
}

func (c *Consumer) wait(ctx context.Context, d time.Duration) error {
	if c.Wait != nil {
		return c.Wait(ctx, d)
	}
	return Sleep(ctx, d)
}

// Step handles one batch and moves the cursor; it gives how many events it took. A scheduled host
// calls it until that is 0.
func (c *Consumer) Step(ctx context.Context) (int, error) {
	at, rev, err := c.position(ctx)
	if err != nil {
		return 0, err
	}
	events, err := c.Feed.After(ctx, at, orDefault(c.Batch, 50))
	if err != nil || len(events) == 0 {
		return 0, err
	}
	var dead []table.Op
	for _, e := range events {
		if err := c.deliver(ctx, e); err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			op, err := c.letter(e, err)
			if err != nil {
				return 0, err
			}
			dead = append(dead, op)
		}
	}
	return len(events), c.advance(ctx, rev, events[len(events)-1].Seq, dead)
}

// deliver tries an event several times; a wrong input is not tried again.
func (c *Consumer) deliver(ctx context.Context, e Event) error {
	for try := 1; ; try++ {
		err := c.Handle(ctx, e)
		if err == nil || ctx.Err() != nil || try >= orDefault(c.Tries, 5) || errs.Is(err, errs.Invalid) {
			return err
		}
		if werr := c.wait(ctx, backoff(retryFirst, retryMost, try-1)); werr != nil {
			return werr
		}
	}
}

func (c *Consumer) position(ctx context.Context) (seq, rev int64, err error) {
	it, err := c.Table.Get(ctx, c.cursorKey(), table.Consistent)
	if errs.Is(err, errs.NotFound) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read cursor of %s: %w", c.Name, err)
	}
	var p position
	if err := json.Unmarshal(it.Body, &p); err != nil {
		return 0, 0, fmt.Errorf("decode cursor of %s: %w", c.Name, err)
	}
	return p.Seq, it.Rev, nil
}

// advance moves the cursor and keeps the dead letters in one write. Another consumer of the same
// name makes it fail with errs.Conflict: the events are then handled twice, as they may be.
func (c *Consumer) advance(ctx context.Context, rev, seq int64, dead []table.Op) error {
	op, err := create(c.cursorKey(), position{Seq: seq})
	if err != nil {
		return err
	}
	if rev > 0 {
		op.If = table.Cond{Kind: table.RevEq, Val: rev}
	}
	if err := c.Table.Write(ctx, "", append(dead, op)...); err != nil {
		return fmt.Errorf("move cursor of %s: %w", c.Name, err)
	}
	return nil
}

// StartAt sets where a consumer that has not read yet begins: after the event seq, such as
// Head.Seq for only what is new. One that has a cursor keeps it.
func (c *Consumer) StartAt(ctx context.Context, seq int64) error {
	_, rev, err := c.position(ctx)
	if err != nil || rev > 0 {
		return err
	}
	return c.advance(ctx, 0, seq, nil)
}
