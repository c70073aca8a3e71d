package httpapi

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/training"
)

// ListModels answers listModels.
func (h *handler) ListModels(ctx context.Context) (*oas.ModelList, error) {
	items, err := sentAll[oas.Model](h.Models.Models(ctx))
	return &oas.ModelList{Items: items}, err
}

// CreateModel answers createModel and makes the model's environments.
func (h *handler) CreateModel(ctx context.Context, req *oas.ModelNew) (*oas.ModelHeaders, error) {
	m := registry.Model{ID: req.ID, Name: req.Name.Value, Dataset: req.Dataset, Benchmarks: req.Benchmarks,
		Preset: req.Preset.Value, Canned: canned(req.Canned)}
	train, err := trainOf(req.Train)
	if err != nil {
		return nil, err
	}
	m.Train = train
	if _, err := h.Datasets.Dataset(ctx, m.Dataset); errs.Is(err, errs.NotFound) {
		return nil, errs.New(errs.Invalid, "no dataset %q", m.Dataset).At("/dataset").Mend("create it first: POST /v1/datasets")
	} else if err != nil {
		return nil, err
	}
	m, err = h.Models.CreateModel(ctx, actor(ctx), m)
	if err != nil {
		return nil, err
	}
	if err := h.SetupEnvironments(ctx, actor(ctx), m.ID); err != nil {
		return nil, err
	}
	return modelSent(m, nil)
}

func canned(list []oas.Canned) []registry.Canned {
	out := make([]registry.Canned, len(list))
	for i, c := range list {
		out[i] = registry.Canned{Prompt: c.Prompt, Contains: c.Contains}
	}
	return out
}

// mostTrain bounds the training overrides of a model in bytes: a record has room for 400 KB in all.
const mostTrain = 64 << 10

// trainOf gives training overrides as JSON; nil when they were not sent.
func trainOf(o json.Marshaler) (json.RawMessage, error) {
	b, err := o.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	if len(b) == 0 || string(b) == "null" {
		return nil, nil
	}
	if len(b) > mostTrain {
		return nil, errs.New(errs.Invalid, "%d bytes of training configuration, more than %d", len(b), mostTrain).At("/train")
	}
	return b, nil
}

func modelSent(m registry.Model, err error) (*oas.ModelHeaders, error) {
	out, err := sent[oas.Model](m, err)
	if err != nil {
		return nil, err
	}
	return &oas.ModelHeaders{ETag: etag(m.Rev), Response: *out}, nil
}

// GetModel answers getModel.
func (h *handler) GetModel(ctx context.Context, p oas.GetModelParams) (*oas.ModelHeaders, error) {
	return modelSent(h.Models.Model(ctx, p.Model))
}

// UpdateModel answers updateModel.
func (h *handler) UpdateModel(ctx context.Context, req *oas.ModelPatch, p oas.UpdateModelParams) (*oas.ModelHeaders, error) {
	rev, err := revision(p.IfMatch.Value)
	if err != nil {
		return nil, err
	}
	m, err := h.Models.Model(ctx, p.Model)
	if err != nil {
		return nil, err
	}
	if m.Rev != rev {
		return nil, errs.New(errs.Precondition, "model %s changed meanwhile", p.Model).Mend("load it again and repeat the change")
	}
	if err := patch(&m, req); err != nil {
		return nil, err
	}
	return modelSent(h.Models.UpdateModel(ctx, actor(ctx), m))
}

func patch(m *registry.Model, req *oas.ModelPatch) error {
	m.Name = req.Name.Or(m.Name)
	m.Dataset = req.Dataset.Or(m.Dataset)
	m.Preset = req.Preset.Or(m.Preset)
	if req.Benchmarks != nil {
		m.Benchmarks = req.Benchmarks
	}
	if req.Canned != nil {
		m.Canned = canned(req.Canned)
	}
	if !req.Train.Set {
		return nil
	}
	train, err := trainOf(req.Train)
	m.Train = train
	return err
}

// ListModelVersions answers listModelVersions.
func (h *handler) ListModelVersions(ctx context.Context, p oas.ListModelVersionsParams) (*oas.ModelVersionList, error) {
	if _, err := h.Models.Model(ctx, p.Model); err != nil {
		return nil, err
	}
	items, err := sentAll[oas.ModelVersion](h.ModelVersions.Versions(ctx, p.Model))
	return &oas.ModelVersionList{Items: items}, err
}

// GetModelVersion answers getModelVersion.
func (h *handler) GetModelVersion(ctx context.Context, p oas.GetModelVersionParams) (*oas.ModelVersion, error) {
	return sent[oas.ModelVersion](h.ModelVersions.Version(ctx, p.Model, p.Number))
}

// ImportModelVersion answers importModelVersion.
func (h *handler) ImportModelVersion(ctx context.Context, req *oas.ModelImport, p oas.ImportModelVersionParams) (*oas.ModelVersion, error) {
	if _, err := h.Models.Model(ctx, p.Model); err != nil {
		return nil, err
	}
	in := training.ImportInput{Model: p.Model, Artifact: req.Artifact, Reason: req.Reason}
	for _, d := range req.Datasets {
		in.Datasets = append(in.Datasets, registry.DatasetRef{Dataset: d.Dataset, Number: d.Number, Digest: d.Digest})
	}
	return sent[oas.ModelVersion](h.Import(ctx, actor(ctx), in))
}

// SetAlias answers setAlias.
func (h *handler) SetAlias(ctx context.Context, req *oas.AliasChange, p oas.SetAliasParams) (*oas.ModelVersion, error) {
	if err := h.ModelVersions.SetAlias(ctx, actor(ctx), p.Model, string(p.Alias), req.Version, req.Reason); err != nil {
		return nil, err
	}
	return sent[oas.ModelVersion](h.ModelVersions.Version(ctx, p.Model, req.Version))
}

// GetTrigger answers getTrigger.
func (h *handler) GetTrigger(ctx context.Context, p oas.GetTriggerParams) (*oas.TriggerHeaders, error) {
	if _, err := h.Models.Model(ctx, p.Model); err != nil {
		return nil, err
	}
	return triggerSent(h.Triggers.Trigger(ctx, p.Model))
}

// SetTrigger answers setTrigger.
func (h *handler) SetTrigger(ctx context.Context, req *oas.TriggerChange, p oas.SetTriggerParams) (*oas.TriggerHeaders, error) {
	rev, err := revision(p.IfMatch.Value)
	if err != nil {
		return nil, err
	}
	return triggerSent(h.Triggers.SetTrigger(ctx, actor(ctx), training.Trigger{Model: p.Model, Enabled: req.Enabled, MinRows: req.MinRows,
		Debounce: req.Debounce, Cooldown: req.Cooldown, Schedule: req.Schedule.Value, Timezone: req.Timezone.Value, Rev: rev}))
}

func triggerSent(t training.Trigger, err error) (*oas.TriggerHeaders, error) {
	out, err := sent[oas.Trigger](t, err)
	if err != nil {
		return nil, err
	}
	return &oas.TriggerHeaders{ETag: etag(t.Rev), Response: *out}, nil
}
