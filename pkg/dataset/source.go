package dataset

import (
	"context"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// CreateSource adds a source to a dataset.
func (s *Service) CreateSource(ctx context.Context, by audit.Actor, src Source) (Source, error) {
	if err := checkSlug("source", src.ID); err != nil {
		return src, err
	}
	if src.Kind == "" {
		src.Kind = Upload
	}
	if src.Kind != Upload && src.Kind != Prefix && src.Kind != Stream {
		return src, errs.New(errs.Invalid, "no source kind %q", src.Kind).At("/kind").Mend("use %s, %s or %s", Upload, Prefix, Stream)
	}
	if _, err := s.Dataset(ctx, src.Dataset); err != nil {
		return src, err
	}
	src.Created, src.Rev = s.Clock(), 1
	err := s.saveSource(ctx, by, "SourceCreated", src, nil, 0)
	if errs.Is(err, errs.Conflict) {
		return src, errs.New(errs.Conflict, "source %s exists already", src.ID).At("/id").Mend("choose another id")
	}
	return src, err
}

// UpdateSource changes owner, licence, consent and whether revision src.Rev is enabled.
func (s *Service) UpdateSource(ctx context.Context, by audit.Actor, src Source) (Source, error) {
	old, err := s.Source(ctx, src.ID)
	if err != nil {
		return src, err
	}
	src.Dataset, src.Kind, src.Created = old.Dataset, old.Kind, old.Created
	err = s.saveSource(ctx, by, "SourceUpdated", src, audit.JSON(old), src.Rev)
	if errs.Is(err, errs.Conflict) {
		return src, errs.New(errs.Precondition, "source %s changed meanwhile", src.ID).Mend("load it again and repeat the change")
	}
	src.Rev++
	return src, err
}

func (s *Service) saveSource(ctx context.Context, by audit.Actor, event string, src Source, before []byte, rev int64) error {
	_, err := s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: event, Subject: audit.Subject{Type: "source", ID: src.ID}, Data: src,
		Before: before, After: audit.JSON(src), Ops: []table.Op{saveSource(src, rev)},
	})
	return err
}

// Sources gives the sources of a dataset, of all with "".
func (s *Service) Sources(ctx context.Context, dataset string) ([]Source, error) {
	q := table.Query{Index: table.GSI1, PK: "SOURCES"}
	if dataset != "" {
		q.Prefix = dataset + "#"
	}
	return table.All[Source](ctx, s.Table, q)
}

// Source gives one source.
func (s *Service) Source(ctx context.Context, id string) (Source, error) {
	src, err := table.Load[Source](ctx, s.Table, sourceKey(id))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no source %q", id)
	}
	return src, err
}
