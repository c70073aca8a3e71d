package httpapi

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/object"
)

// UploadFile answers uploadFile. The body goes to the object store as it comes.
func (h *handler) UploadFile(ctx context.Context, req oas.UploadFileReq, p oas.UploadFileParams) (*oas.IngestionHeaders, error) {
	to := destination{Dataset: p.Dataset, Source: p.Source.Value, Resubmits: p.Resubmits.Value, Name: p.Name}
	if err := h.accepts(ctx, to); err != nil {
		return nil, err
	}
	key := to.key(h.IDs("upl"))
	info, err := h.Objects.Put(ctx, key, req.Data, object.PutOptions{})
	if err != nil {
		return nil, fmt.Errorf("store upload: %w", err)
	}
	if info.Size == 0 {
		_ = h.Objects.Delete(ctx, key) // a leftover is harmless
		return nil, errs.New(errs.Invalid, "the file is empty").Mend("send the file as the body of the request")
	}
	return ingestionSent(h.ingest(ctx, to, key, info))
}

// destination is where an uploaded file goes.
type destination struct {
	Dataset   string `json:"dataset"`
	Source    string `json:"source,omitempty"`
	Resubmits string `json:"resubmits,omitempty"`
	Name      string `json:"name"`
}

// accepts refuses a destination before anything is sent there.
func (h *handler) accepts(ctx context.Context, to destination) error {
	if _, err := h.Datasets.Dataset(ctx, to.Dataset); err != nil {
		return err
	}
	if to.Source != "" && !folder.MatchString(to.Source) {
		return errs.New(errs.Invalid, "no source %q", to.Source).At("source")
	}
	if to.Resubmits == "" {
		return nil
	}
	old, err := h.Ingestions.Ingestion(ctx, to.Resubmits)
	if err == nil && old.Dataset != to.Dataset {
		err = errs.New(errs.Invalid, "ingestion %s is of dataset %s", old.ID, old.Dataset).At("resubmits")
	}
	return err
}

var (
	folder = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	unsafe = regexp.MustCompile(`[^\pL\pN._ -]+`)
)

// fileName makes a name fit for object keys and file systems; its ending stays.
func fileName(name string) string {
	name = strings.Trim(unsafe.ReplaceAllString(path.Base(strings.ReplaceAll(name, `\`, "/")), "_"), ". ")
	if len(name) > 120 {
		name = strings.ToValidUTF8(name[len(name)-120:], "")
	}
	if name == "" {
		return "file"
	}
	return name
}

// key is where the file is put. The upload's id keeps equal names apart.
func (to destination) key(id string) string {
	source := to.Source
	if source == "" {
		source = "upload"
	}
	return dataset.IncomingKey(to.Dataset, source+"/"+id+"/"+fileName(to.Name))
}

func (h *handler) ingest(ctx context.Context, to destination, key string, info object.Info) (dataset.Ingestion, error) {
	if to.Resubmits != "" {
		return h.Arrivals.Resubmit(ctx, actor(ctx), to.Resubmits, key, info.Size, info.Version)
	}
	return h.Arrivals.Arrive(ctx, actor(ctx), to.Dataset, key, info.Size, info.Version)
}

func ingestionSent(ing dataset.Ingestion, err error) (*oas.IngestionHeaders, error) {
	out, err := sent[oas.Ingestion](ing, err)
	if err != nil {
		return nil, err
	}
	return &oas.IngestionHeaders{Location: "/v1/ingestions/" + ing.ID, Response: *out}, nil
}
