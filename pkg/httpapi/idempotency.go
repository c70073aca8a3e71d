package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// idempotency makes a POST that is sent again with the same key answer what it answered first. The
// services below get the same key too, so that even a crash between effect and answer does nothing twice.
type idempotency struct {
	table table.Table
	clock ids.Clock
}

const (
	onceTTL   = 24 * time.Hour
	onceLease = time.Minute // after which a call that never answered counts as dead
)

// answer is the row of one key.
type answer struct {
	Hash   string            `json:"hash"` // of operation, path and body
	Began  time.Time         `json:"began"`
	Status int               `json:"status"` // 0 = still running
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
	Rev    int64             `json:"rev"`
}

func (i idempotency) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		writeProblem(w, r, fmt.Errorf("read body: %w", err))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	q := requestOf(r.Context())
	q.Key = hashOf(q.Principal.Actor.ID, q.Operation, r.Header.Get("Idempotency-Key"))
	key := table.Key{PK: "ANSWER#" + q.Key, SK: "ANSWER"}
	mine := answer{Hash: hashOf(q.Operation, r.URL.Path, string(body)), Began: i.clock()}
	old, err := i.begin(r.Context(), key, &mine)
	switch {
	case err != nil:
		writeProblem(w, r, err)
	case old != nil:
		old.replay(w)
	default:
		i.run(w, r, next, key, mine)
	}
}

// begin claims the key, or gives the answer that it has already. A dead call's claim is taken over.
func (i idempotency) begin(ctx context.Context, key table.Key, mine *answer) (*answer, error) {
	old, err := table.Load[answer](ctx, i.table, key)
	switch {
	case errs.Is(err, errs.NotFound):
		old = answer{}
	case err != nil:
		return nil, err
	case old.Hash != mine.Hash:
		return nil, withStatus(http.StatusUnprocessableEntity, errs.Conflict, "this Idempotency-Key was used for another request").
			mend("use a new key for a new request")
	case old.Status != 0:
		return &old, nil
	case i.clock().Before(old.Began.Add(onceLease)):
		return nil, stillRunning()
	}
	err = i.table.Write(ctx, "", save(key, *mine, old.Rev))
	if errs.Is(err, errs.Conflict) {
		return nil, stillRunning()
	}
	mine.Rev = old.Rev + 1
	return nil, err
}

func stillRunning() error {
	return errs.New(errs.Conflict, "the first request with this Idempotency-Key is still running").Mend("try again in a moment")
}

func save(key table.Key, a answer, rev int64) table.Op {
	op := table.Save(key, a, rev, nil)
	op.Item.TTL = a.Began.Add(onceTTL)
	return op
}

// run lets the request through and keeps a successful answer. A failed one frees the key, since what
// was wrong may be mended.
func (i idempotency) run(w http.ResponseWriter, r *http.Request, next http.Handler, key table.Key, mine answer) {
	rec := &buffered{header: http.Header{}}
	next.ServeHTTP(rec, r)
	ctx := context.WithoutCancel(r.Context())
	op := table.Op{Kind: table.Delete, Item: table.Item{Key: key}, If: table.Cond{Kind: table.RevEq, Val: mine.Rev}}
	if rec.status < 300 {
		mine.Status, mine.Body, mine.Header = rec.status, rec.body.Bytes(), map[string]string{}
		for _, name := range []string{"Content-Type", "Location", "Etag"} {
			if v := rec.header.Get(name); v != "" {
				mine.Header[name] = v
			}
		}
		op = save(key, mine, mine.Rev)
	}
	if err := i.table.Write(ctx, "", op); err != nil {
		noteError(ctx, errors.Join(requestOf(ctx).fault, fmt.Errorf("keep answer: %w", err)))
	}
	rec.copyTo(w)
}

func (a *answer) replay(w http.ResponseWriter) {
	for name, v := range a.Header {
		w.Header().Set(name, v)
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// buffered keeps a small answer in memory.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header gives the headers to be sent.
func (b *buffered) Header() http.Header { return b.header }

// WriteHeader keeps the first status.
func (b *buffered) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

// Write keeps a part of the body.
func (b *buffered) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

func (b *buffered) copyTo(w http.ResponseWriter) {
	for name, v := range b.header {
		w.Header()[name] = v
	}
	w.WriteHeader(b.status)
	_, _ = w.Write(b.body.Bytes())
}

// hashOf digests parts so that no two lists of parts look alike.
func hashOf(parts ...string) string {
	enc, _ := json.Marshal(parts) // strings only: cannot fail
	sum := sha256.Sum256(enc)
	return hex.EncodeToString(sum[:])
}
