package host_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	s3client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/host"
	"github.com/perennial-llm/perennial/pkg/aws/s3"
	"github.com/perennial-llm/perennial/pkg/config"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

// account is the API of this host over a bucket, with somebody signed in.
type account struct {
	*testing.T
	api   http.Handler
	store *s3.Store
	token string
}

// started is a workflow that takes every execution and runs none.
type started struct{}

func (started) Start(_ context.Context, machine, name string, _ any) (string, error) {
	return machine + ":" + name, nil
}
func (started) Answer(context.Context, string, any) error { return nil }

// newStore makes a bucket with versions in moto.
func newStore(t *testing.T, bucket string) *s3client.Client {
	t.Helper()
	endpoint := porttest.Moto(t)
	client := s3client.New(s3client.Options{Region: "eu-central-1", BaseEndpoint: &endpoint, UsePathStyle: true, Credentials: anybody})
	_, err := client.CreateBucket(t.Context(), &s3client.CreateBucketInput{Bucket: &bucket,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"}})
	require.NoError(t, err)
	_, err = client.PutBucketVersioning(t.Context(), &s3client.PutBucketVersioningInput{Bucket: &bucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	require.NoError(t, err)
	return client
}

func inAccount(t *testing.T) *account {
	t.Helper()
	bucket := "uploads"
	client := newStore(t, bucket)
	a := &account{T: t, store: s3.New(client, bucket)}
	p := host.Wire(config.Config{Bucket: bucket, Version: "1"}, host.Adapters{Table: porttest.NewMemory(ids.WallClock), Objects: a.store,
		Signer: s3.NewSigner(s3client.NewPresignClient(client), bucket, ids.WallClock), Directory: people(t)}, slog.New(slog.DiscardHandler))
	p.Dataset.Workflow = started{}
	var err error
	a.api, err = p.API()
	require.NoError(t, err)
	_, _, err = p.Identity.CreateUser(t.Context(), identity.System("test"),
		identity.NewUser{Login: "dan@x.eu", Password: "correct horse battery", Roles: []identity.Role{identity.DataEngineer}})
	require.NoError(t, err)
	session, err := p.Identity.SignIn(t.Context(), "dan@x.eu", "correct horse battery")
	require.NoError(t, err)
	a.token = session.Token
	return a
}

// call asks the API and reads its answer into v.
func (a *account) call(method, path, body string, v any) {
	a.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.api.ServeHTTP(w, r)
	require.Less(a, w.Code, 300, w.Body.String())
	require.NoError(a, json.Unmarshal(w.Body.Bytes(), v))
}

// put sends a part to the bucket by an address of the API.
func (a *account) put(upload string, n int, content []byte) {
	a.Helper()
	sum := sha256.Sum256(content)
	var to struct {
		Method, URL string
		Headers     map[string]string
	}
	a.call("POST", fmt.Sprintf("/v1/uploads/%s/parts/%d/address", upload, n), `{"sha256":"`+hex.EncodeToString(sum[:])+`"}`, &to)
	require.True(a, strings.HasPrefix(to.URL, porttest.Moto(a)), "the part goes around the API")
	require.Contains(a, to.Headers, "X-Amz-Checksum-Sha256", "with what S3 compares the content")
	req, err := http.NewRequestWithContext(a.Context(), to.Method, to.URL, bytes.NewReader(content))
	require.NoError(a, err)
	for name, value := range to.Headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(a, err)
	require.NoError(a, resp.Body.Close())
	require.Equal(a, http.StatusOK, resp.StatusCode)
}

func TestPlatform_API_TakesLargeFilesInPartsThatS3Accepts(t *testing.T) {
	a := inAccount(t)
	a.call("POST", "/v1/datasets", `{"id":"tickets"}`, &struct{}{})
	file := bytes.Repeat([]byte(`{"prompt":"What does it cost?","completion":"5 euros."}`+"\n"), 700_000)
	var u struct {
		ID        string
		PartBytes int
		Parts     []struct{ Number int }
	}
	a.call("POST", "/v1/uploads", fmt.Sprintf(`{"dataset":"tickets","name":"big.jsonl","bytes":%d}`, len(file)), &u)
	require.Equal(t, 16<<20, u.PartBytes)
	a.put(u.ID, 1, file[:u.PartBytes])
	a.put(u.ID, 3, file[2*u.PartBytes:])
	a.call("GET", "/v1/uploads/"+u.ID, "", &u)
	require.Len(t, u.Parts, 2, "an interrupted client sees where to go on")
	a.put(u.ID, 2, file[u.PartBytes:2*u.PartBytes])

	var ing, again struct {
		ID     string
		Object struct {
			Key     string
			Size    int
			Version string
		}
	}
	a.call("POST", "/v1/uploads/"+u.ID+"/complete", "", &ing)
	require.Equal(t, len(file), ing.Object.Size)
	a.call("POST", "/v1/uploads/"+u.ID+"/complete", "", &again)
	require.Equal(t, ing, again)
	r, info, err := a.store.Get(t.Context(), ing.Object.Key, 0)
	require.NoError(t, err)
	defer r.Close() //nolint:errcheck // read only
	require.Equal(t, ing.Object.Version, info.Version)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(file, got))
}
