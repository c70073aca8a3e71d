package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// Outcome tells a state machine what comes next.
type Outcome struct {
	Ingestion string `json:"ingestion"`
	Dataset   string `json:"dataset"`
	Status    Status `json:"status"` // Publishing, Quarantined, or final
	Counts    Counts `json:"counts"`
}

func outcome(i Ingestion) Outcome {
	return Outcome{Ingestion: i.ID, Dataset: i.Dataset, Status: i.Status, Counts: i.Counts}
}

var system = audit.System("ingestion")

// Check reads an arrived file row by row: what is good goes to shards, what is bad to the quarantine file,
// and the ingestion on to Publishing, or to Quarantined when a person must decide. Checking again after a
// crash gives the same digests; what is checked already is not checked again.
func (s *Service) Check(ctx context.Context, id string) (Outcome, error) {
	ing, err := s.Ingestion(ctx, id)
	if err != nil {
		return Outcome{}, err
	}
	switch ing.Status {
	case Received, Checking:
	case Failed:
		return outcome(ing), errs.New(errs.Conflict, "ingestion %s has failed: %s", id, ing.Error).Mend("retry it")
	default:
		return outcome(ing), nil
	}
	if ing, err = s.beginCheck(ctx, id); err != nil {
		return Outcome{}, err
	}
	rep, err := s.admit(ctx, ing)
	if errors.Is(err, errReplaced) {
		ing, err = s.discard(ctx, system, id, errReplaced.Message)
		return outcome(ing), err
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("check ingestion %s: %w", id, err)
	}
	ing, err = s.endCheck(ctx, id, rep)
	return outcome(ing), err
}

func (s *Service) beginCheck(ctx context.Context, id string) (Ingestion, error) {
	ing, err := s.Ingestion(ctx, id)
	if err != nil || ing.Status == Checking {
		return ing, err
	}
	return s.change(ctx, id, note{Actor: system, Type: "IngestionChecking"}, func(i *Ingestion) error {
		if i.Status == Received {
			i.Status = Checking
			i.begin(StepCheck, s.Clock())
		}
		return nil
	})
}

// admit runs one admission against the dataset's newest version and stores its report.
func (s *Service) admit(ctx context.Context, ing Ingestion) (report, error) {
	a, err := s.admission(ctx, ing)
	if err != nil {
		return report{}, err
	}
	defer s.bases.keep(a.base)
	rep, err := a.run(ctx)
	if err != nil {
		return rep, err
	}
	_, err = s.Objects.Put(ctx, reportKey(ing.ID), bytes.NewReader(encode(rep)), object.PutOptions{})
	if err != nil {
		return rep, fmt.Errorf("store report: %w", err)
	}
	return rep, nil
}

func (s *Service) admission(ctx context.Context, ing Ingestion) (*admission, error) {
	ds, err := s.Dataset(ctx, ing.Dataset)
	if err != nil {
		return nil, err
	}
	a := &admission{
		s: s, ing: ing, policy: s.Policy, own: newSeen(), errors: groups{}, warnings: groups{},
		meta:    rows.Meta{Ingestion: ing.ID, Source: ing.Source, Licence: ds.Licence, Consent: ds.Consent},
		shards:  newShardWriter(ctx, s.Objects, ing.ID, s.Policy),
		rejects: &rejectWriter{ctx: ctx, objects: s.Objects, id: ing.ID},
		out:     report{Base: ds.Latest},
		shown:   s.Clock(),
	}
	if err := s.terms(ctx, ing.Source, &a.meta); err != nil {
		return nil, err
	}
	if s.Overlaps != nil {
		if a.overlaps, err = s.Overlaps(ctx, ds); err != nil {
			return nil, fmt.Errorf("load benchmarks: %w", err)
		}
	}
	a.base, err = s.base(ctx, ds)
	return a, err
}

// terms takes licence and consent from the source where it states them.
func (s *Service) terms(ctx context.Context, source string, m *rows.Meta) error {
	if source == "" {
		return nil
	}
	src, err := s.Source(ctx, source)
	if err != nil {
		return err
	}
	if src.Licence != "" {
		m.Licence = src.Licence
	}
	if src.Consent != "" {
		m.Consent = src.Consent
	}
	return nil
}

// endCheck records what the check found. A second check of the same ingestion finds the same, so the one
// that comes late changes nothing.
func (s *Service) endCheck(ctx context.Context, id string, rep report) (Ingestion, error) {
	event := "IngestionChecked"
	if rep.NeedsPerson {
		event = "IngestionQuarantined"
	}
	ing, err := s.change(ctx, id, note{Actor: system, Type: event}, func(i *Ingestion) error {
		if i.Status != Checking {
			return errDone
		}
		i.take(rep)
		now := s.Clock()
		i.end(now, fmt.Sprintf("%d of %d rows accepted", rep.Counts.Accepted, rep.Counts.Rows))
		i.Status = Publishing
		i.begin(StepPublish, now)
		if rep.NeedsPerson {
			i.Status = Quarantined
			i.Steps[len(i.Steps)-1].Name = StepDecide
		}
		return nil
	})
	if errors.Is(err, errDone) {
		return ing, nil
	}
	return ing, err
}

// errDone stops a change that has been made already.
var errDone = errors.New("done already")

// OpenRejects opens the quarantine file: the original rows and an error column. The caller closes it.
func (s *Service) OpenRejects(ctx context.Context, id string) (file io.ReadCloser, name string, err error) {
	ing, err := s.Ingestion(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if ing.Rejects == "" {
		return nil, "", errs.New(errs.NotFound, "ingestion %s has no rejected rows", id)
	}
	file, _, err = s.Objects.Get(ctx, ing.Rejects, 0)
	if err != nil {
		return nil, "", fmt.Errorf("open quarantine file: %w", err)
	}
	stem, _, _ := strings.Cut(ing.Name, ".")
	return file, stem + "-rejected." + rejectsExt(ing.Format), nil
}
