package audit

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Verifier checks a chain entry by entry; it needs no table, so that evidence can be checked offline.
type Verifier struct {
	anchor *Head
	last   Head // as read so far
	broken bool // the entry before stood in a wrong place: nothing follows from its hash
	report Report
}

// NewVerifier starts before the first entry.
func NewVerifier(anchor *Head) *Verifier {
	return &Verifier{anchor: anchor, last: Head{Hash: Genesis}, report: Report{Problems: []Problem{}, Anchored: anchor != nil}}
}

func (v *Verifier) find(seq int64, kind ProblemKind, format string, args ...any) {
	if len(v.report.Problems) < mostProblems {
		v.report.Problems = append(v.report.Problems, Problem{Seq: seq, Kind: kind, Detail: fmt.Sprintf(format, args...)})
	}
}

// Entry takes the next entry, stored as number at.
func (v *Verifier) Entry(at int64, e Entry) {
	v.report.Checked++
	if next := v.last.Seq + 1; at > next {
		v.find(next, Missing, "%s deleted", span(next, at-1))
	}
	hash, err := link(v.last.Hash, e)
	follows := at == v.last.Seq+1 && !v.broken
	v.broken = e.Seq != at
	switch {
	case v.broken:
		v.find(at, Reordered, "entry %d stands in the place of entry %d", e.Seq, at)
	case !follows:
		// its hash follows an entry that is gone or moved: nothing can be said
	case err != nil || hash != e.Hash:
		v.find(at, Edited, "entry %d does not follow from entry %d: one of them was edited", at, v.last.Seq)
	}
	v.last = Head{Seq: at, Hash: e.Hash, Time: e.Time}
	if v.anchor != nil && at == v.anchor.Seq && e.Hash != v.anchor.Hash {
		v.find(at, Rewritten, "entry %d is not the one that was anchored: it or something before it was rewritten", at)
	}
}

// event checks the stored event of an entry; nil = gone.
func (v *Verifier) event(at int64, e Entry, raw json.RawMessage) {
	if raw == nil {
		v.find(at, EventWrong, "event %d was deleted", at)
		return
	}
	var event Event
	err := json.Unmarshal(raw, &event)
	sum, derr := digest(event)
	if err != nil || derr != nil || sum != e.Event {
		v.find(at, EventWrong, "event %d is not the one that was committed", at)
	}
}

func span(from, to int64) string {
	if from == to {
		return fmt.Sprintf("entry %d was", from)
	}
	return fmt.Sprintf("entries %d to %d were", from, to)
}

// Finish compares the end of the chain with the stored head and the anchor.
func (v *Verifier) Finish(head Head) Report {
	v.report.Head = head
	most := head.Seq
	if v.anchor != nil {
		most = max(most, v.anchor.Seq)
	}
	if v.last.Seq < most {
		v.find(v.last.Seq+1, Cut, "%s cut off the end", span(v.last.Seq+1, most))
	}
	if v.last.Seq == head.Seq && v.last.Hash != head.Hash {
		v.find(head.Seq, Edited, "the last entry %d is not the one that the head names", head.Seq)
	}
	v.report.OK = len(v.report.Problems) == 0
	return v.report
}

// Err gives nil for a report without problems, else the first of them.
func (r Report) Err() error {
	if r.OK {
		return nil
	}
	if len(r.Problems) == 0 {
		return errors.New("audit trail was not verified")
	}
	p := r.Problems[0]
	return errs.New(errs.Unhealthy, "the audit trail was tampered with: %s", p.Detail).At(fmt.Sprintf("entry %d", p.Seq))
}
