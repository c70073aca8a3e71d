package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/object"
)

// sink is an object store that forgets what it is given and watches memory meanwhile.
type sink struct {
	httpapi.Objects
	peak atomic.Uint64
	key  string
}

func (s *sink) Put(_ context.Context, key string, r io.Reader, _ object.PutOptions) (object.Info, error) {
	s.key = key
	var size int64
	buf := make([]byte, 64<<10)
	for n := 0; ; n++ {
		got, err := r.Read(buf)
		size += int64(got)
		if n%256 == 0 {
			s.look()
		}
		if err == io.EOF {
			return object.Info{Key: key, Size: size, SHA256: strings.Repeat("a", 64)}, nil
		}
		if err != nil {
			return object.Info{}, err
		}
	}
}

func (s *sink) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.peak.Store(max(s.peak.Load(), m.HeapAlloc))
}

// endless gives so many bytes of rows.
type endless struct{ left int64 }

var line = []byte(`{"prompt":"How are you?","completion":"Well."}` + "\n")

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), e.left))
	for i := 0; i < n; i += len(line) {
		copy(p[i:n], line)
	}
	e.left -= int64(n)
	return n, nil
}

func TestUpload_AFileIsStreamedAndNeverHeld(t *testing.T) {
	const size = 256 << 20
	store := &sink{}
	w := newWorld(t, func(d *httpapi.Deps) { d.Objects = store })
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	runtime.GC()
	store.look()
	before := store.peak.Load()
	req, err := http.NewRequestWithContext(w.ctx, "POST", w.server.URL+"/v1/datasets/tickets/uploads?name=big.jsonl", &endless{size})
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("X-Requested-With", "perennial")
	req.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: w.sessions["dan"]})
	resp, err := w.server.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Regexp(t, `^incoming/tickets/upload/upl_\d+/big.jsonl$`, store.key)
	require.Less(t, store.peak.Load()-before, uint64(32<<20), "256 MiB went through; heap grew by more than 32 MiB")
}

func TestUpload_AnIngestionFollowsTheFileAndNamesAreTamed(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	w.upload("dan", "a.jsonl", rowsOf(0, 3))
	ing := w.upload("dan", "..%2F..%2Fetc%2Fprices%20%3A%20new.jsonl", rowsOf(3, 6))
	require.Equal(t, "prices _ new.jsonl", ing.Name)
	require.NotContains(t, ing.Object.Key, "..")
	same := w.upload("dan", "a.jsonl", rowsOf(6, 9))
	require.NotEqual(t, ing.ID, same.ID, "two files of one name are two arrivals")
	var list struct {
		Items []struct{ ID, Dataset string }
	}
	w.call("vic", "GET", "/v1/ingestions?dataset=tickets", "").into(t, &list)
	require.Len(t, list.Items, 3)
}

// file makes the body of an upload of so many bytes.
func file(size int) (body []byte, sum string) {
	body = bytes.Repeat(line, size/len(line)+1)[:size]
	digest := sha256.Sum256(body)
	return body, hex.EncodeToString(digest[:])
}

type uploaded struct {
	ID        string
	PartBytes int
	Parts     []struct{ Number, Bytes int }
	Ingestion string
}

func (w *world) begin(body []byte, sum string) uploaded {
	w.t.Helper()
	var u uploaded
	w.call("dan", "POST", "/v1/uploads", fmt.Sprintf(`{"dataset":"tickets","name":"big.jsonl","bytes":%d,"sha256":%q}`, len(body), sum)).into(w.t, &u)
	return u
}

func (w *world) put(who string, u uploaded, n int, part []byte) answer {
	return w.call(who, "PUT", fmt.Sprintf("/v1/uploads/%s/parts/%d", u.ID, n), string(part), "Content-Type", "application/octet-stream")
}

func TestUpload_InPartsIsResumedAndCompletedOnce(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	body, sum := file(11 << 20)
	u := w.begin(body, sum)
	require.Equal(t, 5<<20, u.PartBytes)
	require.Equal(t, 200, w.put("dan", u, 1, body[:5<<20]).StatusCode)

	missing := w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "").problem(t)
	require.Equal(t, 412, missing.Status)
	require.Contains(t, missing.Detail, "2 of 3 parts are missing, the first is 2")
	w.call("dan", "GET", "/v1/uploads/"+u.ID, "").into(t, &u)
	require.Len(t, u.Parts, 1, "what has arrived is known, so that an interrupted client can go on")

	require.Equal(t, 200, w.put("dan", u, 3, body[10<<20:]).StatusCode, "in any order")
	require.Equal(t, 200, w.put("dan", u, 2, body[5<<20:10<<20]).StatusCode)
	first := w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "")
	require.Equal(t, 202, first.StatusCode, "%s", first.body)
	second := w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "")
	require.Equal(t, first.Header.Get("Location"), second.Header.Get("Location"))
	require.Equal(t, 409, w.put("dan", u, 1, body[:5<<20]).StatusCode)
	var ing struct{ Object struct{ Size int } }
	w.call("dan", "GET", first.Header.Get("Location"), "").into(t, &ing)
	require.Equal(t, len(body), ing.Object.Size)
}

func TestUpload_PartsOfTheWrongSizeOrOwnerAreRefused(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	body, sum := file(6 << 20)
	u := w.begin(body, sum)
	require.Contains(t, w.put("dan", u, 1, body[:100]).problem(t).Detail, "lacks")
	require.Contains(t, w.put("dan", u, 2, body).problem(t).Detail, "too many bytes")
	require.Contains(t, w.put("dan", u, 3, body[:1]).problem(t).Detail, "there is no part 3")
	require.Equal(t, 404, w.put("ana", u, 1, body[:5<<20]).StatusCode, "somebody else's upload does not exist")
	w.call("dan", "GET", "/v1/uploads/"+u.ID, "").into(t, &u)
	require.Empty(t, u.Parts)
}

func TestUpload_ADamagedFileIsRefusedAtTheEnd(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	body, sum := file(1 << 20)
	u := w.begin(body, sum)
	body[0] = 'x'
	require.Equal(t, 200, w.put("dan", u, 1, body).StatusCode)
	a := w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "")
	require.Equal(t, "Invalid", a.problem(t).Code, "%s", a.body)
}

func TestUpload_CanBeGivenUp(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	body, sum := file(1 << 20)
	u := w.begin(body, sum)
	require.Equal(t, 204, w.call("dan", "DELETE", "/v1/uploads/"+u.ID, "").StatusCode)
	require.Equal(t, 404, w.put("dan", u, 1, body).StatusCode)
}

func TestUpload_AnInterruptedOneLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	ctx, cancel := context.WithCancel(w.ctx)
	req, err := http.NewRequestWithContext(ctx, "POST", w.server.URL+"/v1/datasets/tickets/uploads?name=a.jsonl", &interrupted{cancel: cancel})
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("X-Requested-With", "perennial")
	req.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: w.sessions["dan"]})
	_, err = w.server.Client().Do(req)
	require.Error(t, err)
	w.server.Close() // waits for the handler
	list, err := w.objects.List(w.ctx, "incoming/", "", 10)
	require.NoError(t, err)
	require.Empty(t, list)
	ings, _, err := w.dataset.Ingestions(w.ctx, dataset.Filter{})
	require.NoError(t, err)
	require.Empty(t, ings)
}

// interrupted is a body whose sender goes away in the middle.
type interrupted struct {
	cancel func()
	sent   int
}

func (i *interrupted) Read(p []byte) (int, error) {
	if i.sent > 4<<20 {
		i.cancel()
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, line)
	i.sent += n
	return n, nil
}
