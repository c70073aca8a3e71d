package httpapi

import (
	"context"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/lineage"
)

// pollActive is how often a client that polls should ask, in milliseconds.
const pollActive = 2000

// ListEvents answers listEvents: what follows a place in the feed, or the newest ones.
func (h *handler) ListEvents(ctx context.Context, p oas.ListEventsParams) (*oas.EventPage, error) {
	after := p.After.Value
	if !p.After.Set {
		head, err := h.Events.Head(ctx)
		if err != nil {
			return nil, err
		}
		after = max(0, head.Seq-int64(p.Limit.Value))
	}
	events, err := h.Events.After(ctx, after, p.Limit.Value)
	items, err := sentAll[oas.Event](events, err)
	page := &oas.EventPage{Items: items, Next: after, PollAfterMs: pollActive}
	if n := len(events); n > 0 {
		page.Next = events[n-1].Seq
	}
	return page, err
}

// ListAudit answers listAudit.
func (h *handler) ListAudit(ctx context.Context, p oas.ListAuditParams) (*oas.AuditPage, error) {
	if p.After.Set {
		return h.auditAfter(ctx, p.After.Value, p.Limit.Value)
	}
	var entries []audit.Entry
	var next string
	var err error
	if p.Subject.Set {
		var about lineage.Node
		if about, err = lineage.Parse(p.Subject.Value); err != nil {
			return nil, err
		}
		entries, next, err = h.Trail.History(ctx, audit.Subject{Type: about.Type, ID: about.ID}, p.Cursor.Value, p.Limit.Value)
	} else {
		entries, next, err = h.Trail.Latest(ctx, p.Cursor.Value, p.Limit.Value)
	}
	items, err := sentAll[oas.AuditEntry](entries, err)
	return &oas.AuditPage{Items: items, NextCursor: opt(next)}, err
}

func (h *handler) auditAfter(ctx context.Context, after int64, limit int) (*oas.AuditPage, error) {
	entries, err := h.Trail.Entries(ctx, after, limit)
	items, err := sentAll[oas.AuditEntry](entries, err)
	if n := len(entries); n > 0 {
		after = entries[n-1].Seq
	}
	return &oas.AuditPage{Items: items, Next: oas.NewOptInt64(after)}, err
}

// VerifyAudit answers verifyAudit.
func (h *handler) VerifyAudit(ctx context.Context) (*oas.AuditVerdict, error) {
	return sent[oas.AuditVerdict](h.Trail.Verify(ctx, nil))
}

// ListDeadLetters answers listDeadLetters.
func (h *handler) ListDeadLetters(ctx context.Context, p oas.ListDeadLettersParams) (*oas.DeadLetterPage, error) {
	if h.DeadLetters == nil {
		return &oas.DeadLetterPage{Items: []oas.DeadLetter{}}, nil
	}
	letters, next, err := h.DeadLetters.Dead(ctx, p.Cursor.Value, p.Limit.Value)
	items, err := sentAll[oas.DeadLetter](letters, err)
	return &oas.DeadLetterPage{Items: items, NextCursor: opt(next)}, err
}

// ReplayDeadLetter answers replayDeadLetter.
func (h *handler) ReplayDeadLetter(ctx context.Context, p oas.ReplayDeadLetterParams) error {
	if h.DeadLetters == nil {
		return errs.New(errs.NotFound, "no dead letter %d", p.Seq)
	}
	err := h.DeadLetters.Replay(ctx, p.Seq)
	if err == nil || errs.Is(err, errs.NotFound) {
		return err
	}
	return errs.New(errs.Unavailable, "the event failed again: %w", err).Mend("mend what the error names, then replay it")
}
