package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/httpapi"
)

func get(b *testing.B, h http.Handler, path, session string) {
	req := httptest.NewRequest("GET", path, nil)
	req.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: session})
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	require.Equal(b, 200, rec.Code)
}

// BenchmarkStart is what a cold Lambda pays for the API itself: New and the first request.
func BenchmarkStart(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		h, err := httpapi.New(w.deps)
		require.NoError(b, err)
		get(b, h, "/v1/config", "")
	}
}

// BenchmarkList is a short list through guard, core and wire.
func BenchmarkList(b *testing.B) {
	w := newWorld(b)
	w.model()
	h, err := httpapi.New(w.deps)
	require.NoError(b, err)
	for b.Loop() {
		get(b, h, "/v1/models", w.sessions["vic"])
	}
}

// BenchmarkOverview is the home page of a platform with one model.
func BenchmarkOverview(b *testing.B) {
	w := newWorld(b)
	w.model()
	h, err := httpapi.New(w.deps)
	require.NoError(b, err)
	for b.Loop() {
		get(b, h, "/v1/overview", w.sessions["vic"])
	}
}
