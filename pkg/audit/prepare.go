package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// headState is the head with its revision in the table; revision 0 = no head yet.
type headState struct {
	Head
	rev int64
}

// current is the head that the next commit follows.
func (l *Log) current(ctx context.Context) (headState, error) {
	if l.head != nil {
		return *l.head, nil
	}
	return l.readHead(ctx)
}

func (l *Log) readHead(ctx context.Context) (headState, error) {
	it, err := l.table.Get(ctx, headKey, table.Consistent)
	if errs.Is(err, errs.NotFound) {
		return headState{Head: Head{Hash: Genesis}}, nil
	}
	if err != nil {
		return headState{}, fmt.Errorf("read audit head: %w", err)
	}
	state := headState{rev: it.Rev}
	if err := json.Unmarshal(it.Body, &state.Head); err != nil {
		return headState{}, fmt.Errorf("decode audit head: %w", err)
	}
	return state, nil
}

// Head is the end of the chain, to be kept elsewhere as an anchor.
func (l *Log) Head(ctx context.Context) (Head, error) {
	state, err := l.readHead(ctx)
	return state.Head, err
}

// written is one prepared transaction.
type written struct {
	event Event
	next  headState
	ops   []table.Op // the caller's first, then head, event, entry and, if any, the idempotency row
	once  int        // index of the idempotency row, -1 = none
}

func (l *Log) prepare(c Change, head headState) (written, error) {
	event, err := l.event(c, head.Seq+1)
	if err != nil {
		return written{}, err
	}
	entry, err := l.entry(c, event, head.Hash)
	if err != nil {
		return written{}, err
	}
	next := headState{Head: Head{Seq: event.Seq, Hash: entry.Hash, Time: event.Time}, rev: head.rev + 1}
	w := written{event: event, next: next, once: -1}
	own, err := l.records(c, head, next, event, entry)
	if err != nil {
		return written{}, err
	}
	w.ops = append(append(make([]table.Op, 0, len(c.Ops)+len(own)), c.Ops...), own...)
	if c.Key != "" {
		w.once = len(w.ops) - 1
	}
	return w, nil
}

func (l *Log) event(c Change, seq int64) (Event, error) {
	event := Event{Seq: seq, Type: c.Type, Time: l.clock(), Actor: c.Actor, Subject: c.Subject, Reason: c.Reason}
	if c.Data == nil {
		return event, nil
	}
	raw, err := json.Marshal(c.Data)
	if err != nil {
		return Event{}, errs.New(errs.Invalid, "data of %s cannot be encoded: %w", c.Type, err)
	}
	event.Data = raw
	return event, nil
}

func (l *Log) entry(c Change, event Event, prev string) (Entry, error) {
	hash, err := digest(event)
	if err != nil {
		return Entry{}, fmt.Errorf("digest event: %w", err)
	}
	e := Entry{
		Seq: event.Seq, ID: l.newID("aud"), Time: event.Time, Actor: c.Actor, Action: c.Type, Subject: c.Subject,
		Reason: c.Reason, Before: c.Before, After: c.After, Event: hash,
	}
	if e.Hash, err = link(prev, e); err != nil {
		return Entry{}, errs.New(errs.Invalid, "before or after of %s is not JSON: %w", c.Type, err)
	}
	return e, nil
}

func (l *Log) records(c Change, head, next headState, event Event, entry Entry) ([]table.Op, error) {
	headOp, err := create(headKey, next.Head)
	if err != nil {
		return nil, err
	}
	if head.rev > 0 {
		headOp.If = table.Cond{Kind: table.RevEq, Val: head.rev}
	}
	eventOp, err := create(eventKey(event.Seq), event)
	if err != nil {
		return nil, err
	}
	entryOp, err := create(entryKey(event.Seq), entry)
	if err != nil {
		return nil, err
	}
	entryOp.Item.Idx = map[table.Index]table.Key{table.GSI1: {PK: subjectPK(c.Subject), SK: number(entrySK, event.Seq)}}
	ops := []table.Op{headOp, eventOp, entryOp}
	if c.Key == "" {
		return ops, nil
	}
	onceOp, err := create(onceKey(c.Key), once{Seq: event.Seq})
	return append(ops, onceOp), err
}

// failure sorts failed conditions: the caller's own, the idempotency row's, the rest is the head's.
type failure struct {
	own  []int
	once bool
}

func split(err error, own, onceAt int) (failure, bool) {
	var canceled *table.CanceledError
	if !errors.As(err, &canceled) {
		return failure{}, false
	}
	var f failure
	for _, i := range canceled.Failed {
		if i < own {
			f.own = append(f.own, i)
		}
		f.once = f.once || i == onceAt
	}
	return f, true
}
