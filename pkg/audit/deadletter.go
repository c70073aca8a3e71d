package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// DeadLetter is an event that a consumer could not handle.
type DeadLetter struct {
	Consumer string    `json:"consumer"`
	Event    Event     `json:"event"` // without its data, which stays in the feed
	Error    string    `json:"error"` // of the last try
	Failed   time.Time `json:"failed"`
	Tries    int       `json:"tries"` // tries and replays so far
}

const deadSK = "DEAD#"

func (c *Consumer) deadKey(seq int64) table.Key {
	return table.Key{PK: c.cursorKey().PK, SK: number(deadSK, seq)}
}

func (c *Consumer) letter(e Event, cause error) (table.Op, error) {
	e.Data = nil
	letter := DeadLetter{Consumer: c.Name, Event: e, Error: short(cause), Failed: c.Clock(), Tries: orDefault(c.Tries, 5)}
	op, err := create(c.deadKey(e.Seq), letter)
	op.If = table.Cond{} // a batch that is handled again may fail again
	return op, err
}

// Bury puts an event aside without a try, for a host that has tried it.
func (c *Consumer) Bury(ctx context.Context, e Event, cause error) error {
	op, err := c.letter(e, cause)
	if err != nil {
		return err
	}
	if err := c.Table.Write(ctx, "", op); err != nil {
		return fmt.Errorf("keep dead letter: %w", err)
	}
	return nil
}

// short keeps an error's text within what a record should hold.
func short(err error) string {
	const most = 2000
	if text := err.Error(); len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return err.Error()
}

// Dead gives a page of the dead letters, oldest first, with the cursor of the next one.
func (c *Consumer) Dead(ctx context.Context, cursor string, limit int) ([]DeadLetter, string, error) {
	q := table.Query{PK: c.cursorKey().PK, Prefix: deadSK, Cursor: cursor, Limit: limit, Consistency: table.Consistent}
	return page[DeadLetter](ctx, c.Table, q)
}

// Replay hands a dead letter to the handler once more. It is gone when that succeeds; else it stays,
// with the new error, which is returned.
func (c *Consumer) Replay(ctx context.Context, seq int64) error {
	it, err := c.Table.Get(ctx, c.deadKey(seq), table.Consistent)
	if errs.Is(err, errs.NotFound) {
		return errs.New(errs.NotFound, "consumer %s has no dead letter %d", c.Name, seq)
	}
	if err != nil {
		return fmt.Errorf("read dead letter: %w", err)
	}
	var letter DeadLetter
	if err := json.Unmarshal(it.Body, &letter); err != nil {
		return fmt.Errorf("decode dead letter: %w", err)
	}
	events, err := c.Feed.After(ctx, seq-1, 1)
	if err != nil {
		return fmt.Errorf("read event %d: %w", seq, err)
	}
	if len(events) == 0 || events[0].Seq != seq {
		return errs.New(errs.NotFound, "event %d is not in the feed", seq)
	}
	if failed := c.Handle(ctx, events[0]); failed != nil {
		return c.keep(ctx, letter, it.Rev, failed)
	}
	return c.Discard(ctx, seq)
}

// keep stores a dead letter that failed again, and gives that failure.
func (c *Consumer) keep(ctx context.Context, letter DeadLetter, rev int64, failed error) error {
	letter.Error, letter.Failed, letter.Tries = short(failed), c.Clock(), letter.Tries+1
	op, err := create(c.deadKey(letter.Event.Seq), letter)
	if err != nil {
		return err
	}
	op.If = table.Cond{Kind: table.RevEq, Val: rev}
	if err := c.Table.Write(ctx, "", op); err != nil {
		return fmt.Errorf("keep dead letter: %w", err)
	}
	return fmt.Errorf("replay event %d: %w", letter.Event.Seq, failed)
}

// Discard removes a dead letter.
func (c *Consumer) Discard(ctx context.Context, seq int64) error {
	err := c.Table.Write(ctx, "", table.Op{Kind: table.Delete, Item: table.Item{Key: c.deadKey(seq)}})
	if err != nil {
		return fmt.Errorf("remove dead letter: %w", err)
	}
	return nil
}
