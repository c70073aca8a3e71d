package training

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

// judged gives the versions whose results a run's verdict needs: champion, candidate and the pinned anchor
// where it is neither. A run that has no candidate is refused.
func (s *Service) judged(ctx context.Context, run Run) ([]registry.Version, error) {
	if run.Candidate == 0 {
		return nil, errs.New(errs.Precondition, "run %s has no candidate to evaluate", run.ID)
	}
	anchor, err := s.anchor(ctx, run)
	if err != nil {
		return nil, err
	}
	var out []registry.Version
	for _, n := range []int{run.Parent, run.Candidate, anchor.Number} {
		if slices.ContainsFunc(out, func(v registry.Version) bool { return v.Number == n }) {
			continue
		}
		v, err := s.Registry.Version(ctx, run.Model, n)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// anchor is the version pinned at the model, else the first of the run's ancestors.
func (s *Service) anchor(ctx context.Context, run Run) (registry.Version, error) {
	model, err := s.Registry.Model(ctx, run.Model)
	if err != nil {
		return registry.Version{}, err
	}
	if model.Anchor > 0 {
		return s.Registry.Version(ctx, run.Model, model.Anchor)
	}
	line, err := s.ancestors(ctx, run)
	if err != nil {
		return registry.Version{}, err
	}
	return line[0], nil
}

// ancestors are the versions that a run's candidate descends from, oldest first: each was champion when the
// next began to train. A version that was rolled back has no descendants and is left out.
func (s *Service) ancestors(ctx context.Context, run Run) ([]registry.Version, error) {
	all, err := s.Registry.Versions(ctx, run.Model)
	if err != nil {
		return nil, err
	}
	byNumber := map[int]registry.Version{}
	for _, v := range all {
		byNumber[v.Number] = v
	}
	var out []registry.Version
	for n := run.Parent; n > 0; n = byNumber[n].Parent {
		v, ok := byNumber[n]
		if !ok || len(out) == len(all) {
			return nil, errs.New(errs.Internal, "version %d of model %s, an ancestor of run %s, is not there", n, run.Model, run.ID)
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		return nil, errs.New(errs.Internal, "run %s has no parent version", run.ID)
	}
	slices.Reverse(out)
	return out, nil
}

// remember adds to the gate's input what is known of earlier versions: the anchor's results, and the means of
// all promoted ancestors that were measured under today's locks.
func (s *Service) remember(ctx context.Context, run Run, set string, bs []benchmark.Version, in *gate.Input) error {
	anchor, err := s.anchor(ctx, run)
	if err != nil {
		return err
	}
	in.Digests.Anchor = anchor.Digest
	if in.Anchor, err = s.results(ctx, anchor.Digest, set); err != nil {
		return err
	}
	line, err := s.ancestors(ctx, run)
	if err != nil {
		return err
	}
	for _, v := range line {
		means, err := s.means(ctx, v.Digest, bs)
		if err != nil {
			return err
		}
		if len(means) > 0 {
			in.Extras.History = append(in.Extras.History, gate.Milestone{Version: fmt.Sprint(v.Number), Means: means})
		}
	}
	return nil
}

// means gives a model's mean score on each benchmark, from any evaluation under the benchmark's very lock.
func (s *Service) means(ctx context.Context, digest string, bs []benchmark.Version) (map[string]float64, error) {
	done, err := table.All[Evaluated](ctx, s.Table, table.Query{PK: evaluationKey(digest, "").PK, Consistency: table.Consistent})
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, e := range done {
		if e.Means == nil { // recorded before means were
			if err := s.measure(ctx, &e); err != nil {
				return nil, err
			}
		}
		for _, b := range bs {
			if mean, ok := e.Means[b.Name]; ok && e.Locks[b.Name] == b.Lock() {
				out[b.Name] = mean
			}
		}
	}
	return out, nil
}

// measure fills in the means of an evaluation. Lines that cannot be judged are left to the gate, which names
// them.
func (s *Service) measure(ctx context.Context, e *Evaluated) error {
	sums, counts := map[string]float64{}, map[string]float64{}
	e.Locks, e.Means = map[string]string{}, map[string]float64{}
	for r, err := range s.lines(ctx, *e) {
		var wrong gate.Problem
		if errors.As(err, &wrong) || r.Error != "" {
			continue
		}
		if err != nil {
			return fmt.Errorf("measure evaluation of %s: %w", e.Digest, err)
		}
		sums[r.Benchmark] += r.Score
		counts[r.Benchmark]++
		e.Locks[r.Benchmark] = r.Lock
	}
	for name, n := range counts {
		e.Means[name] = sums[name] / n
	}
	return nil
}
