package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// report is everything that a check found; it stands in the object store, its digest in the ingestion.
type report struct {
	Ingestion   string       `json:"ingestion"`
	Object      Object       `json:"object"`
	Base        int          `json:"base"` // dataset version that duplicates were looked for in
	Format      string       `json:"format"`
	Compression string       `json:"compression,omitempty"`
	Counts      Counts       `json:"counts"`
	Masks       rows.Masked  `json:"masks"`
	Errors      []ErrorGroup `json:"errors"`
	Warnings    []ErrorGroup `json:"warnings"`
	Rejects     string       `json:"rejects,omitempty"`
	Shards      []Shard      `json:"shards"`
	NeedsPerson bool         `json:"needsPerson"`
}

func (a *admission) report() report {
	r := a.out
	r.Ingestion, r.Object = a.ing.ID, a.ing.Object
	r.Errors, r.Warnings, r.Shards, r.Rejects = a.errors.list(), a.warnings.list(), a.shards.shards, a.rejects.key
	if a.file != nil {
		r.Format, r.Compression = a.file.Format, a.file.Compression
	}
	r.NeedsPerson = a.broken || float64(r.Counts.Rejected) > a.policy.MaxRejected*float64(r.Counts.Rows)
	return r
}

// take copies a report into the ingestion.
func (i *Ingestion) take(rep report) {
	i.Format, i.Compression, i.Counts, i.Masks = rep.Format, rep.Compression, rep.Counts, rep.Masks
	i.Errors, i.Warnings, i.Rejects = rep.Errors, rep.Warnings, rep.Rejects
	i.Report, i.ReportDigest = reportKey(i.ID), hexDigest(encode(rep))
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("dataset: encode %T: %v", v, err)) // plain structs cannot fail
	}
	return b
}

// readReport gives the stored report; errs.NotFound when it is not the one that was recorded.
func (s *Service) readReport(ctx context.Context, ing Ingestion) (report, error) {
	var rep report
	r, _, err := s.Objects.Get(ctx, ing.Report, 0)
	if err != nil {
		return rep, fmt.Errorf("open report: %w", err)
	}
	defer r.Close() //nolint:errcheck // read only
	b, err := io.ReadAll(r)
	if err != nil {
		return rep, fmt.Errorf("read report: %w", err)
	}
	if hexDigest(b) != ing.ReportDigest {
		return rep, errs.New(errs.NotFound, "the report of ingestion %s is not the recorded one", ing.ID)
	}
	return rep, json.Unmarshal(b, &rep)
}
