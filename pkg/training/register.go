package training

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Manifest is manifest.json of a model folder, written last by the training container.
type Manifest struct {
	Digest string `json:"digest"`
	Files  []struct {
		Path   string `json:"path"`
		Size   int64  `json:"size"`
		SHA256 string `json:"sha256"`
	} `json:"files"`
	Parent  string         `json:"parent"`
	Metrics map[string]any `json:"metrics"` // numbers count; anything else is ignored
}

// numbers are the metrics that are numbers.
func (m Manifest) numbers() map[string]float64 {
	out := map[string]float64{}
	for k, v := range m.Metrics {
		if x, ok := v.(float64); ok {
			out[k] = x
		}
	}
	return out
}

// ReadManifest reads and checks the manifest of the model folder under an object prefix: every file
// must be there with its size and, where the store knows it, its digest.
func ReadManifest(ctx context.Context, store object.Store, prefix string) (Manifest, error) {
	var m Manifest
	r, _, err := store.Get(ctx, prefix+"manifest.json", 0)
	if err != nil {
		return m, fmt.Errorf("model folder %s has no manifest: %w", prefix, err)
	}
	defer r.Close()
	if err := json.NewDecoder(r).Decode(&m); err != nil {
		return m, errs.New(errs.Invalid, "manifest is not JSON: %w", err).At(prefix + "manifest.json")
	}
	if m.Digest == "" || len(m.Files) == 0 {
		return m, errs.New(errs.Invalid, "manifest names no digest or no files").At(prefix + "manifest.json")
	}
	return m, m.check(ctx, store, prefix)
}

func (m Manifest) check(ctx context.Context, store object.Store, prefix string) error {
	infos, err := store.List(ctx, prefix, "", 1000)
	if err != nil {
		return err
	}
	have := map[string]object.Info{}
	for _, in := range infos {
		have[strings.TrimPrefix(in.Key, prefix)] = in
	}
	for _, f := range m.Files {
		in, ok := have[f.Path]
		if !ok || in.Size != f.Size || (in.SHA256 != "" && in.SHA256 != f.SHA256) {
			return errs.New(errs.Invalid, "file is missing or not what the manifest says").At(prefix + f.Path).
				Mend("train again: the artifact is damaged")
		}
	}
	return nil
}

// RegisterInput says where a finished job left its model.
type RegisterInput struct {
	Run      string `json:"run"`
	Job      string `json:"job"`
	Artifact string `json:"artifact"` // S3 URI of the model folder
}

// Register makes the trained model the next candidate version. A second call gives the same version.
func (s *Service) Register(ctx context.Context, in RegisterInput) (Run, error) {
	run, err := s.Run(ctx, in.Run)
	if err != nil || run.Candidate > 0 {
		return run, err
	}
	prefix := strings.TrimSuffix(strings.TrimPrefix(in.Artifact, s.Places.URI("")), "/") + "/"
	m, err := ReadManifest(ctx, s.Objects, prefix)
	if err != nil {
		return run, err
	}
	v, err := s.Registry.Register(ctx, audit.System("training"), "register:"+run.ID, registry.Version{
		Model: run.Model, Digest: m.Digest, Parent: run.Parent, Origin: registry.Trained, Run: run.ID, Datasets: run.Datasets,
		Artifact: prefix, Preset: run.Preset, Metrics: m.numbers()}, runEdges(run)...)
	if err != nil {
		return run, err
	}
	if err := s.Registry.SetAlias(ctx, audit.System("training"), run.Model, registry.Challenger, v.Number, "trained by "+run.ID); err != nil {
		return run, err
	}
	return s.update(ctx, audit.System("training"), run.ID, "RunTrained", func(r *Run) {
		r.Candidate, r.Job, r.Status = v.Number, in.Job, Evaluating
	})
}

func runEdges(run Run) []table.Op {
	var ops []table.Op
	for _, d := range run.Datasets {
		ops = append(ops, lineage.Edge(
			lineage.Node{Type: "datasetVersion", ID: fmt.Sprintf("%s@%d", d.Dataset, d.Number)}, lineage.Node{Type: "run", ID: run.ID}))
	}
	return ops
}

// ImportInput is a base model to register without training.
type ImportInput struct {
	Model    string
	Artifact string // object prefix of the model folder, ending in "/"
	Datasets []registry.DatasetRef
	Reason   string
}

// Import registers an existing model folder as the next version; the first one becomes champion.
func (s *Service) Import(ctx context.Context, by audit.Actor, in ImportInput) (registry.Version, error) {
	m, err := ReadManifest(ctx, s.Objects, in.Artifact)
	if err != nil {
		return registry.Version{}, err
	}
	v, err := s.Registry.Register(ctx, by, "import:"+in.Model+":"+m.Digest, registry.Version{
		Model: in.Model, Digest: m.Digest, Origin: registry.Imported, Datasets: in.Datasets, Artifact: in.Artifact, Metrics: m.numbers()})
	if err != nil || v.Number > 1 {
		return v, err
	}
	return v, s.Registry.SetAlias(ctx, by, in.Model, registry.Champion, v.Number, in.Reason)
}
