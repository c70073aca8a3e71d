package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Reconcile lets in what was put below incoming/ without anybody telling of it, as when the process was killed
// between storing an upload and answering. It gives the number of ingestions that it made. Objects of unknown
// datasets and of paused sources stay where they are.
func (s *Service) Reconcile(ctx context.Context) (int, error) {
	made, start := 0, ""
	for {
		page, err := s.Objects.List(ctx, "incoming/", start, 1000)
		if err != nil {
			return made, fmt.Errorf("list arrivals: %w", err)
		}
		for _, info := range page {
			fresh, err := s.letIn(ctx, info)
			if err != nil {
				return made, err
			}
			made += fresh
			start = info.Key
		}
		if len(page) < 1000 {
			return made, nil
		}
	}
}

// letIn makes the ingestion of one object, unless it has one.
func (s *Service) letIn(ctx context.Context, info object.Info) (fresh int, err error) {
	dataset, _, ok := strings.Cut(strings.TrimPrefix(info.Key, "incoming/"), "/")
	if !ok {
		return 0, nil
	}
	o, err := s.pin(ctx, Object{Key: info.Key, Version: info.Version, Size: info.Size})
	if err == nil {
		_, err = s.Table.Get(ctx, arrivalKey(o), table.Consistent)
	}
	if !errs.Is(err, errs.NotFound) {
		return 0, err
	}
	_, err = s.arrive(ctx, audit.System("arrival"), dataset, o, "")
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Held) || errs.Is(err, errs.Invalid) {
		return 0, nil
	}
	return 1, err
}
