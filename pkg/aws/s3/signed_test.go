package s3_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	store "github.com/perennial-llm/perennial/pkg/aws/s3"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

// gate stands before moto and refuses presigned requests as S3 does: by the signature, computed
// again with the SDK's own signer, the time, the signed length and the checksum.
type gate struct {
	moto   http.Handler
	api    *s3.Client
	passed atomic.Int64 // time that went by, for the gate alone
}

func newGate(t *testing.T) (*gate, string) {
	to, err := url.Parse(porttest.Moto(t))
	require.NoError(t, err)
	g := &gate{api: client(to.String()), moto: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}}
	host := httptest.NewServer(g)
	t.Cleanup(host.Close)
	return g, host.URL
}

// ServeHTTP checks what is presigned.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		http.Error(w, "IncompleteBody", http.StatusBadRequest)
	case !g.signed(r):
		http.Error(w, "AccessDenied", http.StatusForbidden)
	case !isContent(r, body):
		http.Error(w, "BadDigest", http.StatusBadRequest)
	case !g.awaited(r):
		http.Error(w, "NoSuchUpload", http.StatusNotFound)
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		g.moto.ServeHTTP(w, r)
	}
}

func (g *gate) signed(r *http.Request) bool {
	q := r.URL.Query()
	at, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	lasts, lerr := time.ParseDuration(q.Get("X-Amz-Expires") + "s")
	if err != nil || lerr != nil || time.Now().Add(time.Duration(g.passed.Load())).After(at.Add(lasts)) {
		return false
	}
	again := &http.Request{Method: r.Method, Host: r.Host, Header: http.Header{}, ContentLength: r.ContentLength}
	u := *r.URL
	u.Scheme, u.Host = "http", r.Host
	for _, name := range strings.Split(q.Get("X-Amz-SignedHeaders"), ";") {
		if name != "host" && name != "content-length" {
			again.Header.Set(name, r.Header.Get(name))
		}
	}
	for _, name := range []string{"X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Algorithm"} {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	again.URL = &u
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	want, _, err := signer.PresignHTTP(r.Context(), aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, again,
		"UNSIGNED-PAYLOAD", "s3", "eu-central-1", at)
	return err == nil && sameQuery(want, r.URL)
}

// awaited tells whether there is the upload that a part is for: moto crashes when there is none.
func (g *gate) awaited(r *http.Request) bool {
	id := r.URL.Query().Get("uploadId")
	if id == "" {
		return true
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, err := g.api.ListParts(r.Context(), &s3.ListPartsInput{Bucket: &bucket, Key: &key, UploadId: &id})
	return err == nil
}

func sameQuery(want string, got *url.URL) bool {
	u, err := url.Parse(want)
	return err == nil && u.Query().Encode() == got.Query().Encode()
}

func isContent(r *http.Request, body []byte) bool {
	sum := sha256.Sum256(body)
	want := r.URL.Query().Get("X-Amz-Checksum-Sha256") + r.Header.Get("X-Amz-Checksum-Sha256")
	return want == base64.StdEncoding.EncodeToString(sum[:])
}

func TestSigner_Conforms(t *testing.T) {
	porttest.ObjectSigned(t, func(t *testing.T) porttest.SignedStore {
		api, name := bucket(t)
		g, endpoint := newGate(t)
		return porttest.SignedStore{
			ObjectStore: store.New(mend(api), name), Pass: func(d time.Duration) { g.passed.Add(int64(d)) },
			Signer: store.NewSigner(s3.NewPresignClient(client(endpoint)), name, time.Now),
		}
	})
}

// TestMoto_StillTakesAnyPresignedRequest: S3 refuses what is expired, changed, too long or other content.
func TestMoto_StillTakesAnyPresignedRequest(t *testing.T) {
	api, name := bucket(t)
	sum := strings.Repeat("00", sha256.Size)
	signed, err := store.NewSigner(s3.NewPresignClient(api), name, time.Now).
		SignPut(t.Context(), "k", object.Grant{Size: 1, SHA256: sum, Lasts: time.Second})
	require.NoError(t, err)
	for name, address := range map[string]string{
		"expired":       strings.Replace(signed.URL, "X-Amz-Date=20", "X-Amz-Date=19", 1),
		"no signature":  strings.Replace(signed.URL, "X-Amz-Signature=", "X-Amz-Signature=0", 1),
		"other content": signed.URL,
	} {
		req, err := http.NewRequestWithContext(t.Context(), signed.Method, address, strings.NewReader("anything"))
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode, name)
	}
}
