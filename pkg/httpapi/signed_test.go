package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/object"
)

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// address asks for an address for part n with this content.
func (w *world) address(who string, u uploaded, n int, content []byte) answer {
	w.t.Helper()
	return w.call(who, "POST", fmt.Sprintf("/v1/uploads/%s/parts/%d/address", u.ID, n), fmt.Sprintf(`{"sha256":%q,"bytes":%d}`, sumOf(content), len(content)))
}

// direct sends a part to its address, as somebody without credentials.
func (w *world) direct(u uploaded, n int, content []byte) answer {
	w.t.Helper()
	var to oas.PartAddress
	a := w.address("dan", u, n, content)
	require.Equal(w.t, 200, a.StatusCode, "%s", a.body)
	require.NoError(w.t, to.UnmarshalJSON(a.body))
	return w.sendTo(to, content)
}

func (w *world) sendTo(to oas.PartAddress, content []byte) answer {
	header := []string{"X-Requested-With", "", "Content-Type", ""}
	for name, value := range to.Headers {
		header = append(header, name, value)
	}
	return w.call("", to.Method, to.URL, string(content), header...)
}

func TestUpload_PartsGoToSignedAddressesAndAreResumed(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	body, sum := file(11 << 20)
	u := w.begin(body, sum)
	require.Equal(t, 200, w.direct(u, 1, body[:5<<20]).StatusCode)
	require.Equal(t, 200, w.direct(u, 3, body[10<<20:]).StatusCode)
	w.call("dan", "GET", "/v1/uploads/"+u.ID, "").into(t, &u)
	require.Len(t, u.Parts, 2, "what arrived in the store is known to the API")
	require.Contains(t, w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "").problem(t).Detail, "the first is 2")

	require.Equal(t, 200, w.put("dan", u, 2, body[5<<20:10<<20]).StatusCode, "both ways may be mixed")
	done := w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "")
	require.Equal(t, 202, done.StatusCode, "%s", done.body)
	var ing struct{ Object struct{ Key string } }
	w.call("dan", "GET", done.Header.Get("Location"), "").into(t, &ing)
	r, _, err := w.objects.Get(w.ctx, ing.Object.Key, 0)
	require.NoError(t, err)
	defer r.Close() //nolint:errcheck // read only
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, sum, sumOf(got))
	require.Equal(t, 409, w.address("dan", u, 1, body[:5<<20]).StatusCode, "it is complete")
}

func TestUpload_ASignedAddressTakesOnlyItsContentWhileItLasts(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	body, sum := file(6 << 20)
	u := w.begin(body, sum)
	part := body[5<<20:]
	var to oas.PartAddress
	require.NoError(t, to.UnmarshalJSON(w.address("dan", u, 2, part).body))
	for name, content := range map[string][]byte{"other": append([]byte("x"), part[1:]...), "shorter": part[1:], "longer": append([]byte("x"), part...)} {
		require.Equal(t, 400, w.sendTo(to, content).StatusCode, name)
	}
	forged := to
	forged.URL += "0"
	require.Equal(t, 403, w.sendTo(forged, part).StatusCode)
	require.NotContains(t, w.logs.String(), "signature=", "whoever reads the log cannot send")
	w.clock.Advance(to.Expires.Sub(w.clock.Now()))
	require.Equal(t, 403, w.sendTo(to, part).StatusCode, "expired")
	w.call("dan", "GET", "/v1/uploads/"+u.ID, "").into(t, &u)
	require.Empty(t, u.Parts)
	require.Equal(t, 200, w.direct(u, 2, part).StatusCode, "a new one is given")
}

func TestUpload_AddressesAreForTheUploadersPartsOnly(t *testing.T) {
	w := newWorld(t)
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	body, sum := file(6 << 20)
	u := w.begin(body, sum)
	require.Equal(t, 404, w.address("ana", u, 1, body[:5<<20]).StatusCode, "somebody else's upload does not exist")
	require.Equal(t, 403, w.address("vic", u, 1, body[:5<<20]).StatusCode, "who may not write data gets no address")
	require.Equal(t, 401, w.address("", u, 1, body[:5<<20]).StatusCode)
	require.Contains(t, w.address("dan", u, 3, body).problem(t).Detail, "there is no part 3")
	require.Contains(t, w.address("dan", u, 1, body).problem(t).Detail, "part 1 has 5242880 bytes")
	require.Equal(t, 204, w.call("dan", "DELETE", "/v1/uploads/"+u.ID, "").StatusCode)
	require.Equal(t, 404, w.address("dan", u, 1, body[:5<<20]).StatusCode)
}

// cutOff is a store whose first completion does its work, but whose answer gets lost.
type cutOff struct {
	httpapi.Objects
	done bool
}

func (c *cutOff) Complete(ctx context.Context, key, id string, parts []object.Part, opt object.PutOptions) (object.Info, error) {
	info, err := c.Objects.Complete(ctx, key, id, parts, opt)
	if err == nil && !c.done {
		c.done = true
		return object.Info{}, errs.New(errs.Unavailable, "the store does not answer")
	}
	return info, err
}

func TestUpload_ACompletionWhoseAnswerGotLostIsFinishedByTheNext(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.Objects = &cutOff{Objects: d.Objects} })
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	body, sum := file(1 << 20)
	u := w.begin(body, sum)
	require.Equal(t, 200, w.direct(u, 1, body).StatusCode)
	require.Equal(t, 503, w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "").StatusCode)
	first := w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "")
	require.Equal(t, 202, first.StatusCode, "%s", first.body)
	second := w.call("dan", "POST", "/v1/uploads/"+u.ID+"/complete", "")
	require.Equal(t, first.Header.Get("Location"), second.Header.Get("Location"))
}

func TestUpload_ADigestThatTheHostCannotCheckIsRefusedBeforehand(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.Place.DigestBytes = 100 })
	w.call("dan", "POST", "/v1/datasets", `{"id":"tickets"}`)
	begin := func(size int, sum string) answer {
		return w.call("dan", "POST", "/v1/uploads", fmt.Sprintf(`{"dataset":"tickets","name":"a.jsonl","bytes":%d%s}`, size, sum))
	}
	require.Equal(t, http.StatusUnprocessableEntity, begin(101, `,"sha256":"`+sumOf(nil)+`"`).StatusCode)
	require.Equal(t, http.StatusCreated, begin(101, "").StatusCode)
	require.Equal(t, http.StatusCreated, begin(100, `,"sha256":"`+sumOf(nil)+`"`).StatusCode)
}
