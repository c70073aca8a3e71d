package httpapi

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// upload is a file that comes in parts, over days and restarts. The parts are the object store's.
type upload struct {
	ID string `json:"id"`
	destination
	Owner     string    `json:"owner"` // who began it, and alone may go on
	Bytes     int64     `json:"bytes"`
	SHA256    string    `json:"sha256,omitempty"`
	PartBytes int64     `json:"partBytes"`
	Key       string    `json:"key"`
	StoreID   string    `json:"storeId"` // the object store's name of the upload
	Parts     []part    `json:"parts"`   // filled when read
	Ingestion string    `json:"ingestion,omitempty"`
	Expires   time.Time `json:"expires"`
	Created   time.Time `json:"created"`
	Rev       int64     `json:"rev"`

	stored []object.Part
}

type part struct {
	Number int    `json:"number"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const uploadTTL = 7 * 24 * time.Hour

func uploadKey(id string) table.Key { return table.Key{PK: "UPLOAD#" + id, SK: "META"} }

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
	if most := h.Place.DigestBytes; req.SHA256.Set && most > 0 && req.Bytes > most {
		return nil, errs.New(errs.Invalid, "the digest of a whole file can be checked here up to %d bytes", most).At("/sha256").
			Mend("leave it out: every part has a digest of its own")
	}
	now := h.Clock()
	u := upload{ID: h.IDs("upl"), destination: to, Owner: actor(ctx).ID, Bytes: req.Bytes, SHA256: req.SHA256.Value,
		PartBytes: max(h.Place.PartBytes, (req.Bytes+object.MaxNumber-1)/object.MaxNumber), Created: now, Expires: now.Add(uploadTTL), Rev: 1}
	u.Key = to.key(u.ID)
	var err error
	if u.StoreID, err = h.Objects.Create(ctx, u.Key); err != nil {
		return nil, fmt.Errorf("begin upload: %w", err)
	}
	return sent[oas.Upload](u, h.saveUpload(ctx, u, 0))
}

func (h *handler) saveUpload(ctx context.Context, u upload, rev int64) error {
	op := table.Save(uploadKey(u.ID), u, rev, nil)
	op.Item.TTL = u.Expires
	return h.Table.Write(ctx, "", op)
}

// record gives an upload without its parts. To others than its maker it does not exist.
func (h *handler) record(ctx context.Context, id string) (upload, error) {
	u, err := table.Load[upload](ctx, h.Table, uploadKey(id))
	if errs.Is(err, errs.NotFound) || (err == nil && u.Owner != actor(ctx).ID) {
		return u, errs.New(errs.NotFound, "no upload %q", id).Mend("begin a new one: POST /v1/uploads")
	}
	return u, err
}

// open gives an upload that takes part n.
func (h *handler) open(ctx context.Context, id string, n int) (upload, error) {
	u, err := h.record(ctx, id)
	switch {
	case err != nil:
		return u, err
	case u.Ingestion != "":
		return u, errs.New(errs.Conflict, "upload %s is complete", u.ID)
	case n > u.count():
		return u, errs.New(errs.Invalid, "there is no part %d: the file has %d parts of %d bytes", n, u.count(), u.PartBytes).At("part")
	}
	return u, nil
}

// list asks the store for the parts that have arrived, by whichever way.
func (h *handler) list(ctx context.Context, u upload) (_ upload, err error) {
	u.stored, err = h.Objects.Parts(ctx, u.Key, u.StoreID)
	for _, p := range u.stored {
		u.Parts = append(u.Parts, part{Number: p.Number, Bytes: p.Size, SHA256: p.SHA256})
	}
	return u, err
}

// GetUpload answers getUpload.
func (h *handler) GetUpload(ctx context.Context, p oas.GetUploadParams) (*oas.Upload, error) {
	u, err := h.record(ctx, p.Upload)
	if err == nil && u.Ingestion == "" {
		u, err = h.list(ctx, u)
	}
	return sent[oas.Upload](u, err)
}

// PutUploadPart answers putUploadPart. Sending a part again replaces it.
func (h *handler) PutUploadPart(ctx context.Context, req oas.PutUploadPartReq, p oas.PutUploadPartParams) (*oas.UploadPart, error) {
	u, err := h.open(ctx, p.Upload, p.Part)
	if err != nil {
		return nil, err
	}
	body := &exact{r: req.Data, left: u.size(p.Part)}
	got, err := h.Objects.PutPart(ctx, u.Key, u.StoreID, p.Part, body)
	if err != nil {
		return nil, fmt.Errorf("store part %d: %w", p.Part, err)
	}
	return sent[oas.UploadPart](part{Number: got.Number, Bytes: got.Size, SHA256: got.SHA256}, nil)
}

// addressLasts is how long a part may take to begin: the content follows its address at once.
const addressLasts = 15 * time.Minute

// AddressUploadPart answers addressUploadPart.
func (h *handler) AddressUploadPart(ctx context.Context, req *oas.PartContent, p oas.AddressUploadPartParams) (*oas.PartAddress, error) {
	u, err := h.open(ctx, p.Upload, p.Part)
	if err != nil {
		return nil, err
	}
	if size := u.size(p.Part); req.Bytes.Set && req.Bytes.Value != size {
		return nil, errs.New(errs.Invalid, "part %d has %d bytes, not %d", p.Part, size, req.Bytes.Value).At("/bytes").
			Mend("every part but the last has partBytes bytes")
	}
	a, err := h.Signer.SignPart(ctx, u.Key, u.StoreID, p.Part, object.Grant{Size: u.size(p.Part), SHA256: req.SHA256, Lasts: addressLasts})
	if err != nil {
		return nil, fmt.Errorf("sign part %d: %w", p.Part, err)
	}
	return &oas.PartAddress{Method: a.Method, URL: a.URL, Headers: a.Header, Expires: a.Expires}, nil
}

// exact reads so many bytes and fails when there are more or fewer, so that a torn part is never stored.
type exact struct {
	r    io.Reader
	left int64
}

// Read gives the next bytes.
func (e *exact) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	switch {
	case e.left < 0:
		return 0, errs.New(errs.Invalid, "the part has too many bytes").At("part").Mend("every part but the last has partBytes bytes")
	case err == io.EOF && e.left > 0:
		return 0, errs.New(errs.Invalid, "the part lacks %d bytes", e.left).At("part").Mend("send it again as a whole")
	}
	return n, err
}

// CompleteUpload answers completeUpload. Completing again gives the same ingestion.
func (h *handler) CompleteUpload(ctx context.Context, p oas.CompleteUploadParams) (*oas.IngestionHeaders, error) {
	u, err := h.record(ctx, p.Upload)
	if err != nil {
		return nil, err
	}
	if u.Ingestion != "" {
		return ingestionSent(h.Ingestions.Ingestion(ctx, u.Ingestion))
	}
	info, err := h.join(ctx, u)
	if err != nil {
		return nil, err
	}
	ing, err := h.ingest(ctx, u.destination, u.Key, info)
	if err != nil {
		return nil, err
	}
	u.Ingestion = ing.ID
	if err := h.saveUpload(ctx, u, u.Rev); err != nil && !errs.Is(err, errs.Conflict) {
		return nil, err
	}
	return ingestionSent(ing, nil)
}

// join makes the parts an object, or finds the one that an interrupted completion made.
func (h *handler) join(ctx context.Context, u upload) (object.Info, error) {
	u, err := h.list(ctx, u)
	if errs.Is(err, errs.NotFound) {
		return h.joined(ctx, u, err)
	}
	if err != nil {
		return object.Info{}, err
	}
	if err := u.whole(); err != nil {
		return object.Info{}, err
	}
	info, err := h.Objects.Complete(ctx, u.Key, u.StoreID, u.stored, object.PutOptions{SHA256: u.SHA256, Unread: true})
	if err != nil {
		return info, fmt.Errorf("join parts: %w", err)
	}
	return info, nil
}

// joined gives the upload's object, whose key is the upload's alone; else the error gone.
func (h *handler) joined(ctx context.Context, u upload, gone error) (object.Info, error) {
	r, info, err := h.Objects.Get(ctx, u.Key, 0)
	if errs.Is(err, errs.NotFound) {
		return info, gone
	}
	if err != nil {
		return info, fmt.Errorf("find joined parts: %w", err)
	}
	_ = r.Close() // nothing was read
	if info.Size != u.Bytes || (u.SHA256 != "" && u.SHA256 != info.SHA256) {
		return info, gone
	}
	return info, nil
}

// whole tells which parts are missing.
func (u upload) whole() error {
	there := map[int]bool{}
	for _, p := range u.Parts {
		there[p.Number] = p.Bytes == u.size(p.Number)
	}
	missing, first := 0, 0
	for n := u.count(); n >= 1; n-- {
		if !there[n] {
			missing, first = missing+1, n
		}
	}
	if missing > 0 {
		return errs.New(errs.Precondition, "%d of %d parts are missing, the first is %d", missing, u.count(), first).
			Mend("send them, then complete again")
	}
	return nil
}

// AbortUpload answers abortUpload.
func (h *handler) AbortUpload(ctx context.Context, p oas.AbortUploadParams) error {
	u, err := h.record(ctx, p.Upload)
	if err != nil {
		return err
	}
	if u.Ingestion != "" {
		return errs.New(errs.Conflict, "upload %s is complete", u.ID).Mend("discard the ingestion %s instead", u.Ingestion)
	}
	if err := h.Objects.Abort(ctx, u.Key, u.StoreID); err != nil {
		return fmt.Errorf("drop upload: %w", err)
	}
	return h.Table.Write(ctx, "", table.Op{Kind: table.Delete, Item: table.Item{Key: uploadKey(u.ID)}})
}
