package httpapi

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// upload is a file that comes in parts. The parts are objects of their own until the file is complete.
type upload struct {
	ID string `json:"id"`
	destination
	Owner     string    `json:"owner"`
	Bytes     int64     `json:"bytes"`
	SHA256    string    `json:"sha256,omitempty"`
	PartBytes int64     `json:"partBytes"`
	Parts     []part    `json:"parts"` // filled when read
	Ingestion string    `json:"ingestion,omitempty"`
	Expires   time.Time `json:"expires"`
	Created   time.Time `json:"created"`
	Rev       int64     `json:"rev"`
}

type part struct {
	Number int    `json:"number"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const (
	uploadTTL = 7 * 24 * time.Hour
	mostParts = 10_000
)

func uploadKey(id string) table.Key { return table.Key{PK: "UPLOAD#" + id, SK: "META"} }

func partKey(id string, n int) table.Key {
	return table.Key{PK: "UPLOAD#" + id, SK: fmt.Sprintf("PART#%06d", n)}
}

func partObject(id string, n int) string { return fmt.Sprintf("uploads/%s/%06d", id, n) }

// count is the number of parts of the whole file.
func (u upload) count() int { return int((u.Bytes + u.PartBytes - 1) / u.PartBytes) }

// size is how many bytes part n has.
func (u upload) size(n int) int64 { return min(u.PartBytes, u.Bytes-int64(n-1)*u.PartBytes) }

// CreateUpload answers createUpload.
func (h *handler) CreateUpload(ctx context.Context, req *oas.UploadNew) (*oas.Upload, error) {
	to := destination{Dataset: req.Dataset, Source: req.Source.Value, Resubmits: req.Resubmits.Value, Name: req.Name}
	if err := h.accepts(ctx, to); err != nil {
		return nil, err
	}
	now := h.Clock()
	u := upload{ID: h.IDs("upl"), destination: to, Owner: actor(ctx).ID, Bytes: req.Bytes, SHA256: req.SHA256.Value,
		PartBytes: max(h.Place.PartBytes, (req.Bytes+mostParts-1)/mostParts), Created: now, Expires: now.Add(uploadTTL), Rev: 1}
	return sent[oas.Upload](u, h.saveUpload(ctx, u, 0))
}

func (h *handler) saveUpload(ctx context.Context, u upload, rev int64) error {
	op := table.Save(uploadKey(u.ID), u, rev, nil)
	op.Item.TTL = u.Expires
	return h.Table.Write(ctx, "", op)
}

// upload gives an upload with the parts that have arrived. It is its maker's only.
func (h *handler) upload(ctx context.Context, id string) (upload, error) {
	u, err := table.Load[upload](ctx, h.Table, uploadKey(id))
	if errs.Is(err, errs.NotFound) || (err == nil && u.Owner != actor(ctx).ID) {
		return u, errs.New(errs.NotFound, "no upload %q", id).Mend("begin a new one: POST /v1/uploads")
	}
	if err != nil {
		return u, err
	}
	u.Parts, err = table.All[part](ctx, h.Table, table.Query{PK: uploadKey(id).PK, Prefix: "PART#", Limit: 1000, Consistency: table.Consistent})
	return u, err
}

// GetUpload answers getUpload.
func (h *handler) GetUpload(ctx context.Context, p oas.GetUploadParams) (*oas.Upload, error) {
	return sent[oas.Upload](h.upload(ctx, p.Upload))
}

// PutUploadPart answers putUploadPart. Sending a part again replaces it.
func (h *handler) PutUploadPart(ctx context.Context, req oas.PutUploadPartReq, p oas.PutUploadPartParams) (*oas.UploadPart, error) {
	u, err := h.upload(ctx, p.Upload)
	if err != nil {
		return nil, err
	}
	if u.Ingestion != "" {
		return nil, errs.New(errs.Conflict, "upload %s is complete", u.ID)
	}
	if p.Part > u.count() {
		return nil, errs.New(errs.Invalid, "there is no part %d: the file has %d parts of %d bytes", p.Part, u.count(), u.PartBytes).At("part")
	}
	want := u.size(p.Part)
	key := partObject(u.ID, p.Part)
	info, err := h.Objects.Put(ctx, key, io.LimitReader(req.Data, want+1), object.PutOptions{})
	if err != nil {
		return nil, fmt.Errorf("store part: %w", err)
	}
	if info.Size != want {
		_ = h.Objects.Delete(ctx, key) // a leftover is replaced by the next try
		return nil, errs.New(errs.Invalid, "part %d must have %d bytes", p.Part, want).Mend("every part but the last has %d bytes", u.PartBytes)
	}
	done := part{Number: p.Part, Bytes: info.Size, SHA256: info.SHA256}
	op := table.Save(partKey(u.ID, p.Part), done, 0, nil)
	op.If, op.Item.TTL = table.Cond{}, u.Expires
	return sent[oas.UploadPart](done, h.Table.Write(ctx, "", op))
}

// CompleteUpload answers completeUpload. Completing again gives the same ingestion.
func (h *handler) CompleteUpload(ctx context.Context, p oas.CompleteUploadParams) (*oas.IngestionHeaders, error) {
	u, err := h.upload(ctx, p.Upload)
	if err != nil {
		return nil, err
	}
	if u.Ingestion != "" {
		ing, err := sent[oas.Ingestion](h.Ingestions.Ingestion(ctx, u.Ingestion))
		if err != nil {
			return nil, err
		}
		return &oas.IngestionHeaders{Location: "/v1/ingestions/" + u.Ingestion, Response: *ing}, nil
	}
	if err := u.whole(); err != nil {
		return nil, err
	}
	joined := &joiner{ctx: ctx, objects: h.Objects, upload: u}
	defer joined.close()
	ing, err := h.arrive(ctx, u.destination, u.ID, joined, u.SHA256)
	if err != nil {
		return nil, err
	}
	u.Ingestion = ing.Response.ID
	if err := h.saveUpload(ctx, u, u.Rev); err != nil && !errs.Is(err, errs.Conflict) {
		return nil, err
	}
	h.dropParts(ctx, u)
	return ing, nil
}

// whole names the parts that are missing.
func (u upload) whole() error {
	var missing []int
	for n := 1; n <= u.count(); n++ {
		if !slices.ContainsFunc(u.Parts, func(p part) bool { return p.Number == n }) {
			missing = append(missing, n)
		}
	}
	if len(missing) > 0 {
		return errs.New(errs.Precondition, "%d of %d parts are missing, the first is %d", len(missing), u.count(), missing[0]).
			Mend("send them, then complete again")
	}
	return nil
}

// dropParts removes what is not needed any more. What stays behind is swept by the store's life-cycle rule.
func (h *handler) dropParts(ctx context.Context, u upload) {
	for _, p := range u.Parts {
		if err := h.Objects.Delete(ctx, partObject(u.ID, p.Number)); err != nil {
			h.Logger.WarnContext(ctx, "drop upload part", "upload", u.ID, "part", p.Number, "error", err)
		}
	}
}

// AbortUpload answers abortUpload.
func (h *handler) AbortUpload(ctx context.Context, p oas.AbortUploadParams) error {
	u, err := h.upload(ctx, p.Upload)
	if err != nil {
		return err
	}
	if u.Ingestion != "" {
		return errs.New(errs.Conflict, "upload %s is complete", u.ID).Mend("discard the ingestion %s instead", u.Ingestion)
	}
	h.dropParts(ctx, u)
	return h.Table.Write(ctx, "", table.Op{Kind: table.Delete, Item: table.Item{Key: uploadKey(u.ID)}})
}

// joiner reads the parts one after the other.
type joiner struct {
	ctx     context.Context
	objects Objects
	upload  upload
	next    int
	open    io.ReadCloser
}

// Read gives the next bytes of the file.
func (j *joiner) Read(p []byte) (int, error) {
	for {
		if j.open == nil {
			if j.next++; j.next > j.upload.count() {
				return 0, io.EOF
			}
			r, _, err := j.objects.Get(j.ctx, partObject(j.upload.ID, j.next), 0)
			if err != nil {
				return 0, fmt.Errorf("open part %d: %w", j.next, err)
			}
			j.open = r
		}
		n, err := j.open.Read(p)
		if err == io.EOF {
			j.close()
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (j *joiner) close() {
	if j.open != nil {
		_ = j.open.Close() // read only
		j.open = nil
	}
}
