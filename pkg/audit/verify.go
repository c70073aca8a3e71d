package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/perennial-llm/perennial/pkg/table"
)

// ProblemKind is what is wrong with the trail.
type ProblemKind string

// The kinds.
const (
	Edited     ProblemKind = "Edited"     // an entry does not give the hash stored with it
	Missing    ProblemKind = "Missing"    // an entry was deleted
	Reordered  ProblemKind = "Reordered"  // an entry stands in another's place
	Cut        ProblemKind = "Cut"        // entries at the end are gone
	Rewritten  ProblemKind = "Rewritten"  // the chain holds, but is not the one that was anchored
	Extra      ProblemKind = "Extra"      // an entry lies beyond the head
	EventWrong ProblemKind = "EventWrong" // the event differs from the one that the entry vouches for, or is gone
)

// Problem is one finding and its place.
type Problem struct {
	Seq    int64       `json:"seq"`
	Kind   ProblemKind `json:"kind"`
	Detail string      `json:"detail"`
}

// Report is what Verify found.
type Report struct {
	OK       bool      `json:"ok"`
	Checked  int64     `json:"checked"` // entries read
	Head     Head      `json:"head"`    // as stored
	Anchored bool      `json:"anchored"`
	Problems []Problem `json:"problems"` // at most 100
}

const mostProblems = 100

// Verify reads the whole trail and every event and recomputes the chain. A tail that was cut or
// rewritten together with the head shows only against an anchor: a head kept elsewhere.
func (l *Log) Verify(ctx context.Context, anchor *Head) (Report, error) {
	head, err := l.readHead(ctx)
	if err != nil {
		return Report{}, err
	}
	v := NewVerifier(anchor)
	q := table.Query{PK: auditPK, From: entrySK, To: number(entrySK, head.Seq), Limit: 500, Consistency: table.Consistent}
	for {
		found, err := l.table.Query(ctx, q)
		if err != nil {
			return Report{}, fmt.Errorf("read entries: %w", err)
		}
		if err := l.verifyPage(ctx, v, found.Items); err != nil {
			return Report{}, err
		}
		if found.Next == "" {
			break
		}
		q.Cursor = found.Next
	}
	if err := l.verifyBeyond(ctx, v); err != nil {
		return Report{}, err
	}
	return v.Finish(head.Head), nil
}

// verifyBeyond finds entries after the head as it is now.
func (l *Log) verifyBeyond(ctx context.Context, v *Verifier) error {
	head, err := l.readHead(ctx)
	if err != nil {
		return err
	}
	extra, err := l.table.Query(ctx, table.Query{
		PK: auditPK, From: number(entrySK, head.Seq+1), To: entrySK + "~", Limit: 1, Consistency: table.Consistent,
	})
	if err != nil {
		return fmt.Errorf("read entries beyond the head: %w", err)
	}
	later, err := l.readHead(ctx)
	if err == nil && len(extra.Items) > 0 && later.Seq == head.Seq {
		v.find(head.Seq+1, Extra, "%s lies beyond the head %d", extra.Items[0].SK, head.Seq)
	}
	return err
}

func (l *Log) verifyPage(ctx context.Context, v *Verifier, items []table.Item) error {
	events, err := l.eventsOf(ctx, items)
	if err != nil {
		return err
	}
	for _, it := range items {
		at, err := seqOf(it.SK)
		if err != nil {
			return err
		}
		var e Entry
		if err := json.Unmarshal(it.Body, &e); err != nil {
			v.find(at, Edited, "the entry is not JSON any more")
			continue
		}
		v.Entry(at, e)
		v.event(at, e, events[eventKey(at).SK])
	}
	return nil
}

// eventsOf reads the events that the entries vouch for, by sort key.
func (l *Log) eventsOf(ctx context.Context, entries []table.Item) (map[string]json.RawMessage, error) {
	events := map[string]json.RawMessage{}
	if len(entries) == 0 {
		return events, nil
	}
	sk := func(it table.Item) string { return eventSK + strings.TrimPrefix(it.SK, entrySK) }
	q := table.Query{
		PK: eventsPK, From: sk(entries[0]), To: sk(entries[len(entries)-1]), Limit: 500, Consistency: table.Consistent,
	}
	for {
		found, err := l.table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		for _, it := range found.Items {
			events[it.SK] = it.Body
		}
		if found.Next == "" {
			return events, nil
		}
		q.Cursor = found.Next
	}
}

func seqOf(sk string) (int64, error) {
	seq, err := strconv.ParseInt(strings.TrimPrefix(sk, entrySK), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("decode entry number %s: %w", sk, err)
	}
	return seq, nil
}
