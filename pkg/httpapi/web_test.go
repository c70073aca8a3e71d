package httpapi_test

import (
	"net/http"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/httpapi"
)

func webWorld(t *testing.T) *world {
	return newWorld(t, func(d *httpapi.Deps) {
		d.Web = fstest.MapFS{
			"index.html":         {Data: []byte("<!doctype html><title>Perennial</title>")},
			"assets/app-1f2e.js": {Data: []byte("export {}")},
			"favicon.svg":        {Data: []byte("<svg/>")},
		}
		d.Gateway = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("gateway " + r.URL.Path)) })
	})
}

func TestWeb_ServesFilesAndItsIndexForEveryPage(t *testing.T) {
	w := webWorld(t)
	for _, page := range []string{"/", "/models/support/versions/3", "/approvals/apr_1?tab=samples", "/data/my.dataset"} {
		a := w.call("", "GET", page, "")
		require.Equal(t, 200, a.StatusCode, page)
		require.Contains(t, string(a.body), "<title>Perennial", page)
		require.Equal(t, "no-cache", a.Header.Get("Cache-Control"), page)
		require.Contains(t, a.Header.Get("Content-Security-Policy"), "default-src 'self'", page)
		require.NotContains(t, a.Header.Get("Content-Security-Policy"), "unsafe", page)
	}
	a := w.call("", "GET", "/assets/app-1f2e.js", "")
	require.Equal(t, "text/javascript; charset=utf-8", a.Header.Get("Content-Type"))
	require.Contains(t, a.Header.Get("Cache-Control"), "immutable")
	require.Equal(t, "image/svg+xml", w.call("", "GET", "/favicon.svg", "").Header.Get("Content-Type"))
}

func TestWeb_AMissingFileIsNotAPage(t *testing.T) {
	w := webWorld(t)
	for _, path := range []string{"/assets/app-old.js", "/robots.txt", "/assets", "/assets/../../etc/passwd.json"} {
		a := w.call("", "GET", path, "")
		require.NotContains(t, string(a.body), "root:", path)
		if path != "/assets" {
			require.Equal(t, 404, a.StatusCode, path)
		}
	}
	require.Equal(t, 405, w.call("", "POST", "/models", "{}").StatusCode)
}

func TestWeb_OtherDoors(t *testing.T) {
	w := webWorld(t)
	require.Equal(t, "ok\n", string(w.call("", "GET", "/healthz", "").body))
	spec := w.call("", "GET", httpapi.SpecPath, "")
	require.Equal(t, "application/yaml", spec.Header.Get("Content-Type"))
	require.Contains(t, string(spec.body), "openapi: 3.1.0")
	require.Equal(t, "gateway /gateway/production/v1/models", string(w.call("", "GET", "/gateway/production/v1/models", "").body))
}

func TestNew_NamesWhatIsMissing(t *testing.T) {
	_, err := httpapi.New(httpapi.Deps{})
	require.ErrorContains(t, err, "Deps.Sessions is missing")
	require.ErrorContains(t, err, "Deps.Clock is missing")
	require.NotContains(t, err.Error(), "Gateway")
}
