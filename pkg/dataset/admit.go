package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// admission is one pass over a file. It is a pure function of the file, the dataset's state and the
// benchmarks: another pass gives the same shards, counts and digests.
type admission struct {
	s        *Service
	ing      Ingestion
	meta     rows.Meta
	policy   Policy
	overlaps Overlaps
	base     *base // rows of the dataset version that the new one will follow
	own      *seen // rows of this file
	file     *rows.File
	shards   *shardWriter
	rejects  *rejectWriter
	errors   groups
	warnings groups
	out      report
	broken   bool // the file as a whole has a problem
	line     []byte
	shown    time.Time
}

// run reads the object from beginning to end.
func (a *admission) run(ctx context.Context) (report, error) {
	in, info, err := a.open(ctx)
	if err != nil {
		return report{}, err
	}
	defer in.Close() //nolint:errcheck // read only
	if err := a.rows(ctx, in); err != nil {
		return report{}, err
	}
	if !a.broken && a.file.BytesIn() < info.Size {
		return report{}, errs.New(errs.Unavailable, "the object ended after %d of %d bytes", a.file.BytesIn(), info.Size)
	}
	return a.report(), nil
}

// errReplaced tells that the object is no longer the one that arrived.
var errReplaced = errs.New(errs.Precondition, "the file was replaced or removed before it was checked")

// open opens the very version that arrived, where the store keeps versions; where not, it refuses another.
func (a *admission) open(ctx context.Context) (io.ReadCloser, object.Info, error) {
	o := a.ing.Object
	store, keeps := a.s.Objects.(object.Versions)
	if keeps && !strings.HasPrefix(o.Version, contentVersion) {
		in, info, err := store.GetVersion(ctx, o.Key, o.Version, 0)
		return in, info, gone(err)
	}
	in, info, err := a.s.Objects.Get(ctx, o.Key, 0)
	if err != nil {
		return nil, info, gone(err)
	}
	if o.Version != info.Version && o.Version != contentVersion+info.SHA256 {
		_ = in.Close()
		return nil, info, errReplaced
	}
	return in, info, nil
}

func gone(err error) error {
	if errs.Is(err, errs.NotFound) {
		return errReplaced
	}
	if err != nil {
		return fmt.Errorf("open arrival: %w", err)
	}
	return nil
}

// rows admits every row and stores the last shard and the quarantine file.
func (a *admission) rows(ctx context.Context, in io.Reader) error {
	file, err := rows.Open(a.ing.Name, in, a.policy.Limits)
	if err != nil {
		return a.wholeFile(err)
	}
	defer file.Close() //nolint:errcheck // read only
	a.file, a.rejects.file = file, file
	if err := a.each(ctx); err != nil {
		a.rejects.abort(err)
		return err
	}
	if err := a.shards.flush(); err != nil {
		a.rejects.abort(err)
		return err
	}
	return a.rejects.finish()
}

// wholeFile takes a problem of the file as a whole; any other error is passed on.
func (a *admission) wholeFile(err error) error {
	var p *rows.Problem
	if !errors.As(err, &p) {
		return fmt.Errorf("read arrival: %w", err)
	}
	a.broken = true
	a.errors.add(0, p)
	return nil
}

func (a *admission) each(ctx context.Context) error {
	for {
		rec, err := a.file.Next()
		if errors.Is(err, io.EOF) {
			if a.out.Counts.Rows == 0 {
				return a.wholeFile(&rows.Problem{Rule: rows.RuleEmptyFile, Expected: "rows", Found: "nothing"})
			}
			return nil
		}
		if err != nil {
			return a.wholeFile(err)
		}
		if a.out.Counts.Rows == a.policy.MaxRows {
			return a.wholeFile(&rows.Problem{Rule: rows.RuleTooLarge, Found: "more; split the file",
				Expected: fmt.Sprintf("at most %d rows in a file", a.policy.MaxRows)})
		}
		if err := a.one(ctx, &rec); err != nil {
			return err
		}
	}
}

// one admits one record.
func (a *admission) one(ctx context.Context, rec *rows.Record) error {
	a.out.Counts.Rows++
	if a.out.Counts.Rows%1024 == 0 {
		if err := a.breathe(ctx); err != nil {
			return err
		}
	}
	if rec.Problem != nil {
		return a.reject(rec, rec.Problem)
	}
	for _, name := range rec.Unused {
		a.warnings.add(rec.Line, rows.UnusedField(name))
	}
	if item, found := a.overlap(&rec.Row); found {
		a.out.Counts.Overlaps++
		return a.reject(rec, &rows.Problem{Rule: RuleOverlap, Expected: "no text of a benchmark", Found: item})
	}
	return a.accept(rec)
}

// overlap looks for benchmark items in the whole row, and in each question with its answer of a longer chat.
func (a *admission) overlap(r *rows.Row) (item string, found bool) {
	if a.overlaps == nil {
		return "", false
	}
	if item, found = a.overlaps.Overlaps(r.Content()); found || len(r.Messages) < 3 {
		return item, found
	}
	for i, m := range r.Messages[1:] {
		if before := r.Messages[i]; m.Role == rows.Assistant && before.Role == rows.User {
			if item, found = a.overlaps.Overlaps(before.Content + "\n" + m.Content); found {
				return item, true
			}
		}
	}
	return "", false
}

func (a *admission) reject(rec *rows.Record, p *rows.Problem) error {
	a.out.Counts.Rejected++
	a.errors.add(rec.Line, p)
	return a.rejects.add(rec, p)
}

// accept masks the row and writes it, unless its masked content is there already.
func (a *admission) accept(rec *rows.Record) error {
	masked := rec.Row.Mask()
	id := rec.Row.ID()
	if where := a.duplicate(id); where != "" {
		a.out.Counts.Duplicates++
		a.warnings.add(rec.Line, &rows.Problem{Rule: RuleDuplicate, Expected: "each row once", Found: where})
		return nil
	}
	if p := rec.Row.Hidden(); p != nil {
		a.warnings.add(rec.Line, p)
	}
	a.out.Counts.Accepted++
	if masked.Any() {
		a.out.Counts.Masked++
		a.out.Masks.Add(masked)
	}
	a.meta.Line, a.meta.Tags = rec.Line, rec.Row.Tags
	a.line = rec.Row.AppendJSON(a.line[:0], id, a.meta)
	return a.shards.add(&rec.Row, id, a.line)
}

func (a *admission) duplicate(id rows.ID) string {
	if a.base.rows.has(id) {
		return fmt.Sprintf("it in version %d", a.out.Base)
	}
	if !a.own.add(id) {
		return "it earlier in this file"
	}
	return ""
}

// breathe shows progress, at most once a second, and notices that the work was called off. Progress is no
// change of state: it is written beside the log, and that it fails stops nothing.
func (a *admission) breathe(ctx context.Context) error {
	now := a.s.Clock()
	if now.Sub(a.shown) < time.Second {
		return ctx.Err()
	}
	a.shown = now
	p := Progress{Rows: a.out.Counts.Rows, Bytes: a.file.BytesIn(), Total: a.ing.Object.Size, At: now}
	op := table.Save(progressKey(a.ing.ID), p, 0, nil)
	op.If, op.Item.TTL = table.Cond{}, now.Add(24*time.Hour)
	_ = a.s.Table.Write(ctx, "", op)
	return ctx.Err()
}
