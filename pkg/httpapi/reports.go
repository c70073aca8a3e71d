package httpapi

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

// GetReport answers getReport with the very bytes that the digest is of.
func (h *handler) GetReport(ctx context.Context, p oas.GetReportParams, w http.ResponseWriter) error {
	return h.report(ctx, w, p.Digest, "json", "application/json")
}

// GetReportHtml answers getReportHtml. The page may not run scripts nor load anything.
func (h *handler) GetReportHtml(ctx context.Context, p oas.GetReportHtmlParams, w http.ResponseWriter) error {
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	return h.report(ctx, w, p.Digest, "html", "text/html; charset=utf-8")
}

func (h *handler) report(ctx context.Context, w http.ResponseWriter, digest, ext, kind string) error {
	digest = "sha256:" + strings.TrimPrefix(digest, "sha256:")
	r, err := h.Reports(ctx, digest, ext)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // read only
	// The digest names the content, so that it never changes; only for who may read it.
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	w.Header().Set("ETag", `"`+digest+`"`)
	return send(w, r, kind)
}

// DownloadRejects answers downloadRejects.
func (h *handler) DownloadRejects(ctx context.Context, p oas.DownloadRejectsParams, w http.ResponseWriter) error {
	r, name, err := h.Rejects(ctx, p.Ingestion)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // read only
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return send(w, r, "application/octet-stream")
}

// send streams a file. An error after the first byte can only break the connection.
func send(w http.ResponseWriter, r io.Reader, kind string) error {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, r); err != nil {
		panic(fmt.Errorf("send file: %w: %w", http.ErrAbortHandler, err))
	}
	return nil
}
