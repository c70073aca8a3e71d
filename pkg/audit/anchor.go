package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// AnchorKey is the object that keeps the head outside the table. On a bucket that keeps versions the
// earlier heads stay readable there.
const AnchorKey = "audit/head.json"

// Anchored is a log whose head is also kept in an object store, so that who can write the table alone
// cannot cut or rewrite the trail unseen.
type Anchored struct {
	*Log
	Objects object.Store
}

// Verify compares with the kept head, unless another is given. A trail that holds moves the kept head
// forward.
func (a Anchored) Verify(ctx context.Context, anchor *Head) (Report, error) {
	kept, err := a.Kept(ctx)
	if err != nil {
		return Report{}, err
	}
	if anchor == nil {
		anchor = kept
	}
	report, err := a.Log.Verify(ctx, anchor)
	if err != nil || !report.OK {
		return report, err
	}
	return report, a.keep(ctx, kept, report.Head)
}

// Anchor moves the kept head forward to the log's own, if the trail still holds the entry that was
// kept before; else it keeps the old one and fails with errs.Unhealthy. It reads three records.
func (a Anchored) Anchor(ctx context.Context) error {
	kept, err := a.Kept(ctx)
	if err != nil {
		return err
	}
	head, err := a.Head(ctx)
	if err != nil {
		return err
	}
	if kept != nil && kept.Seq > 0 {
		entries, err := a.Entries(ctx, kept.Seq-1, 1)
		if err != nil {
			return err
		}
		if head.Seq < kept.Seq || len(entries) == 0 || entries[0].Seq != kept.Seq || entries[0].Hash != kept.Hash {
			return errs.New(errs.Unhealthy, "the audit trail does not hold entry %d as it was anchored", kept.Seq).
				Mend("verify the trail: perennial audit")
		}
	}
	return a.keep(ctx, kept, head)
}

// Kept is the head in the object store; nil = none yet.
func (a Anchored) Kept(ctx context.Context) (*Head, error) {
	r, _, err := a.Objects.Get(ctx, AnchorKey, 0)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the anchored head: %w", err)
	}
	defer func() { _ = r.Close() }()
	var head Head
	if err := json.NewDecoder(r).Decode(&head); err != nil {
		return nil, fmt.Errorf("decode the anchored head: %w", err)
	}
	return &head, nil
}

// keep stores a head that lies beyond the kept one.
func (a Anchored) keep(ctx context.Context, kept *Head, head Head) error {
	if kept != nil && head.Seq <= kept.Seq {
		return nil
	}
	raw, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("encode head: %w", err)
	}
	if _, err := a.Objects.Put(ctx, AnchorKey, bytes.NewReader(raw), object.PutOptions{}); err != nil {
		return fmt.Errorf("anchor the head: %w", err)
	}
	return nil
}
