package training

import (
	"bytes"
	"context"
	"slices"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
)

// baseline is the preset whose forgetting FR and GR are relative to.
const baseline = "naive"

// report is the file of a model folder in which a training job tells what it measured.
const report = "eval_report.json"

// measuring gives the channels by which a training job measures forgetting: the model's benchmarks as protected
// suites and, where the same data was learned without protection before, the report of that run.
func (s *Service) measuring(ctx context.Context, run Run, model registry.Model, prefix string) ([]Channel, error) {
	out, err := s.suites(ctx, model, prefix+"suites/")
	if err != nil {
		return nil, err
	}
	reference, err := s.reference(ctx, run, prefix+"reference.manifest")
	return append(out, reference...), err
}

func (s *Service) suites(ctx context.Context, model registry.Model, prefix string) ([]Channel, error) {
	if len(model.Benchmarks) == 0 {
		return nil, nil
	}
	versions, err := s.benchmarks(ctx, model.ID)
	if err != nil {
		return nil, err
	}
	return []Channel{channel("suites", s.Places.URI(prefix))}, s.putBenchmarks(ctx, prefix, versions)
}

// putBenchmarks writes locks and items below a key prefix, a folder a benchmark.
func (s *Service) putBenchmarks(ctx context.Context, prefix string, versions []benchmark.Version) error {
	for _, b := range versions {
		for file, content := range b.Files() {
			if _, err := s.Objects.Put(ctx, prefix+b.Name+"/"+file, bytes.NewReader(content), object.PutOptions{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// reference is a channel with the report of the newest unprotected run from the same parent on the same data, if there is one.
func (s *Service) reference(ctx context.Context, run Run, key string) ([]Channel, error) {
	runs, _, err := s.Runs(ctx, RunFilter{Model: run.Model, Limit: 100})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(runs, func(r Run) bool {
		return r.ID != run.ID && r.Preset == baseline && r.Candidate > 0 && r.Parent == run.Parent && slices.Equal(r.Datasets, run.Datasets)
	})
	if i < 0 {
		return nil, nil
	}
	v, err := s.Registry.Version(ctx, run.Model, runs[i].Candidate)
	if err != nil {
		return nil, err
	}
	if there, err := s.Objects.List(ctx, v.Artifact+report, "", 1); err != nil || len(there) == 0 {
		return nil, err
	}
	return []Channel{channel("reference", s.Places.URI(key))}, s.putManifest(ctx, key, v.Artifact, []string{report})
}
