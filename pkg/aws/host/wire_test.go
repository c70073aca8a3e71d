package host_test

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/cognito"
	"github.com/perennial-llm/perennial/pkg/aws/host"
	"github.com/perennial-llm/perennial/pkg/config"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

// wired is a platform of this host over a table in memory and a folder.
func wired(t *testing.T) *host.Platform {
	t.Helper()
	objects, err := files.Open(t.TempDir())
	require.NoError(t, err)
	return host.Wire(config.Config{Bucket: "bkt", Code: "s3://bkt/code/1/", Version: "1.2.3"},
		host.Adapters{Table: porttest.NewMemory(ids.WallClock), Objects: objects, Signer: &files.Signer{Store: objects},
			Directory: cognito.New(nil, "pool", "client", nil)}, slog.New(slog.DiscardHandler))
}

func TestPlatform_API_SaysWhereItRuns(t *testing.T) {
	h, err := wired(t).API()
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/config", nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Contains(t, w.Body.String(), `"mode":"aws"`)
	require.Contains(t, w.Body.String(), `"realtime":"poll"`)
	require.Contains(t, w.Body.String(), `"version":"1.2.3"`)
}

func TestPlatform_API_GuardsTheGateway(t *testing.T) {
	p := wired(t)
	h, err := p.API()
	require.NoError(t, err)
	ask := func(env, key string) int {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/gateway/"+env+"/v1/models", nil)
		r.Header.Set("Authorization", key)
		h.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusUnauthorized, ask("production", ""))
	_, key, err := p.Identity.CreateKey(t.Context(), identity.System("test"), identity.NewKey{Name: "ci",
		Scopes: []identity.Permission{identity.GatewayInvoke}, Environments: []string{"staging"}})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, ask("staging", "Bearer "+key))
	require.Equal(t, http.StatusForbidden, ask("production", "Bearer "+key), "a key is held to its environments")
}

func TestPlatform_API_WantsADirectory(t *testing.T) {
	p := wired(t)
	p.Directory = nil
	_, err := p.API()
	require.ErrorContains(t, err, config.UserPool)
}

func TestPlatform_Handlers_AreTheFoldersOfFunctions(t *testing.T) {
	entries, err := os.ReadDir("../../../functions")
	require.NoError(t, err)
	var folders []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "api" {
			folders = append(folders, e.Name())
		}
	}
	require.Equal(t, folders, slices.Sorted(maps.Keys(wired(t).Handlers())))
}

func TestPlatform_Handlers_SweepWithNothingDue(t *testing.T) {
	_, err := wired(t).Handlers()["trigger-sweep"].Invoke(t.Context(), []byte(`{"source":"aws.events"}`))
	require.NoError(t, err)
}
