package httpapi

import (
	"context"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

// ListDatasets answers listDatasets.
func (h *handler) ListDatasets(ctx context.Context) (*oas.DatasetList, error) {
	items, err := sentAll[oas.Dataset](h.Datasets.Datasets(ctx))
	return &oas.DatasetList{Items: items}, err
}

// CreateDataset answers createDataset.
func (h *handler) CreateDataset(ctx context.Context, req *oas.DatasetNew) (*oas.Dataset, error) {
	return sent[oas.Dataset](h.Datasets.CreateDataset(ctx, actor(ctx), dataset.Dataset{ID: req.ID, Name: req.Name.Value,
		Description: req.Description.Value, ModelID: req.ModelId.Value, Licence: req.Licence.Value, Consent: req.Consent.Value}))
}

// GetDataset answers getDataset.
func (h *handler) GetDataset(ctx context.Context, p oas.GetDatasetParams) (*oas.Dataset, error) {
	return sent[oas.Dataset](h.Datasets.Dataset(ctx, p.Dataset))
}

// ListDatasetVersions answers listDatasetVersions.
func (h *handler) ListDatasetVersions(ctx context.Context, p oas.ListDatasetVersionsParams) (*oas.DatasetVersionList, error) {
	if _, err := h.Datasets.Dataset(ctx, p.Dataset); err != nil {
		return nil, err
	}
	list, next, err := h.DatasetVersions.Versions(ctx, p.Dataset, p.Limit.Value, p.Cursor.Value)
	items, err := sentAll[oas.DatasetVersion](list, err)
	return &oas.DatasetVersionList{Items: items, NextCursor: opt(next)}, err
}

// GetDatasetVersion answers getDatasetVersion.
func (h *handler) GetDatasetVersion(ctx context.Context, p oas.GetDatasetVersionParams) (*oas.DatasetVersion, error) {
	return sent[oas.DatasetVersion](h.DatasetVersions.Version(ctx, p.Dataset, p.Number))
}

// RetractDatasetVersion answers retractDatasetVersion.
func (h *handler) RetractDatasetVersion(ctx context.Context, req *oas.Reason, p oas.RetractDatasetVersionParams) (*oas.DatasetVersion, error) {
	return sent[oas.DatasetVersion](h.DatasetVersions.Retract(ctx, actor(ctx), p.Dataset, p.Number, req.Reason))
}

// ListIngestions answers listIngestions.
func (h *handler) ListIngestions(ctx context.Context, p oas.ListIngestionsParams) (*oas.IngestionList, error) {
	list, next, err := h.Ingestions.Ingestions(ctx, dataset.Filter{Dataset: p.Dataset.Value, Limit: p.Limit.Value, Cursor: p.Cursor.Value})
	items, err := sentAll[oas.Ingestion](list, err)
	return &oas.IngestionList{Items: items, NextCursor: opt(next)}, err
}

// GetIngestion answers getIngestion.
func (h *handler) GetIngestion(ctx context.Context, p oas.GetIngestionParams) (*oas.Ingestion, error) {
	return sent[oas.Ingestion](h.Ingestions.Ingestion(ctx, p.Ingestion))
}

// PublishIngestion answers publishIngestion.
func (h *handler) PublishIngestion(ctx context.Context, req *oas.Reason, p oas.PublishIngestionParams) (*oas.Ingestion, error) {
	return sent[oas.Ingestion](h.Ingestions.PublishValid(ctx, actor(ctx), p.Ingestion, req.Reason))
}

// DiscardIngestion answers discardIngestion.
func (h *handler) DiscardIngestion(ctx context.Context, req *oas.Reason, p oas.DiscardIngestionParams) (*oas.Ingestion, error) {
	return sent[oas.Ingestion](h.Ingestions.Discard(ctx, actor(ctx), p.Ingestion, req.Reason))
}

// RetryIngestion answers retryIngestion.
func (h *handler) RetryIngestion(ctx context.Context, p oas.RetryIngestionParams) (*oas.Ingestion, error) {
	return sent[oas.Ingestion](h.Arrivals.Retry(ctx, actor(ctx), p.Ingestion))
}

// DiffDatasetVersions answers diffDatasetVersions.
func (h *handler) DiffDatasetVersions(ctx context.Context, p oas.DiffDatasetVersionsParams) (*oas.DatasetDiff, error) {
	return sent[oas.DatasetDiff](h.DatasetContents.Diff(ctx, p.Dataset, p.Base, p.Other))
}

// SampleDatasetVersion answers sampleDatasetVersion.
func (h *handler) SampleDatasetVersion(ctx context.Context, p oas.SampleDatasetVersionParams) (*oas.RowSample, error) {
	v, err := h.DatasetVersions.Version(ctx, p.Dataset, p.Number)
	if err != nil {
		return nil, err
	}
	items, err := sentAll[oas.DatasetRow](h.DatasetContents.Sample(ctx, p.Dataset, p.Number, p.Rows.Value, uint64(p.Seed.Value)))
	return &oas.RowSample{Rows: items, Total: v.Rows, Seed: p.Seed.Value}, err
}
