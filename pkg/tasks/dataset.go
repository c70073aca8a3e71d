package tasks

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// Dataset are the tasks of ingest-data, and the one that turns an arrived object into an ingestion.
type Dataset struct{ Service *dataset.Service }

// RegisterInput is an S3 "Object Created" event as EventBridge delivers it, or the same in plain words.
type RegisterInput struct {
	Detail  *ObjectCreated `json:"detail"`
	Dataset string         `json:"dataset"` // empty: the folder below incoming/
	Key     string         `json:"key"`
	Size    int64          `json:"size"`
	Version string         `json:"version"`
	Actor   *audit.Actor   `json:"actor"` // empty: the platform
}

// ObjectCreated is the detail of the event. Keys are not URL-encoded here, unlike in S3's own
// notifications.
type ObjectCreated struct {
	Object struct {
		Key       string `json:"key"`
		Size      int64  `json:"size"`
		VersionID string `json:"version-id"`
	} `json:"object"`
}

// IngestionInput names an ingestion; Token is that of an execution that waits, Error and Cause those of one
// that failed.
type IngestionInput struct {
	Ingestion string `json:"ingestion"`
	Token     string `json:"token"`
	Error     string `json:"error"`
	Cause     string `json:"cause"`
}

// Registered names the ingestion of an arrival.
type Registered struct {
	Ingestion string         `json:"ingestion"`
	Status    dataset.Status `json:"status"`
}

// PublishedVersion is the version that has an ingestion's rows.
type PublishedVersion struct {
	Ingestion string `json:"ingestion"`
	Dataset   string `json:"dataset"`
	Version   int    `json:"version"`
	Digest    string `json:"digest"`
	Rows      int    `json:"rows"`
	Added     int    `json:"added"`
}

// Handlers gives the tasks by function name.
func (t Dataset) Handlers() map[string]lambda.Handler {
	return map[string]lambda.Handler{
		"dataset-register":   Handler(t.Register),
		"dataset-check":      Handler(t.Check),
		"dataset-publish":    Handler(t.Publish),
		"dataset-quarantine": Handler(t.Quarantine),
	}
}

// Register makes the ingestion of an arrived object; a second event of the same object version gives the
// same one.
func (t Dataset) Register(ctx context.Context, in RegisterInput) (Registered, error) {
	if in.Detail != nil {
		o := in.Detail.Object
		in.Key, in.Size, in.Version = o.Key, o.Size, o.VersionID
	}
	by := audit.System("arrival")
	if in.Actor != nil {
		by = *in.Actor
	}
	if in.Dataset == "" {
		in.Dataset = folder(in.Key)
	}
	if in.Dataset == "" {
		return Registered{}, errs.New(errs.Invalid, "object %q is no arrival", in.Key).At("/key").
			Mend("put files below incoming/<dataset>/")
	}
	ing, err := t.Service.Arrive(ctx, by, in.Dataset, in.Key, in.Size, in.Version)
	return Registered{Ingestion: ing.ID, Status: ing.Status}, err
}

// folder gives the dataset of incoming/<dataset>/<name>.
func folder(key string) string {
	rest, ok := strings.CutPrefix(key, "incoming/")
	if !ok {
		return ""
	}
	name, _, ok := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	return name
}

// Check admits the rows of an ingestion.
func (t Dataset) Check(ctx context.Context, in IngestionInput) (dataset.Outcome, error) {
	return t.Service.Check(ctx, in.Ingestion)
}

// Publish makes the accepted rows a version.
func (t Dataset) Publish(ctx context.Context, in IngestionInput) (PublishedVersion, error) {
	v, err := t.Service.Publish(ctx, in.Ingestion)
	return PublishedVersion{in.Ingestion, v.Dataset, v.Number, v.Digest, v.Rows, v.Added}, err
}

// Quarantine sets an ingestion aside: with a token until a person decides, with an error for good.
func (t Dataset) Quarantine(ctx context.Context, in IngestionInput) (Empty, error) {
	if in.Error == "" {
		return Empty{}, t.Service.AwaitDecision(ctx, in.Ingestion, in.Token)
	}
	_, err := t.Service.Fail(ctx, in.Ingestion, Failed(in.Error, in.Cause))
	return Empty{}, err
}
