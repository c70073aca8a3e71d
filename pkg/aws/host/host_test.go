package host_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/host"
)

func TestProxy_KeepsHeadersWhole(t *testing.T) {
	h := host.Proxy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("X-Seen", r.Header.Get("If-Modified-Since"))
		w.WriteHeader(http.StatusTeapot)
	}))
	const date = "Tue, 24 Nov 2026 12:00:00 GMT"
	out, err := h.Invoke(t.Context(), marshal(t, events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/v1/me",
		MultiValueHeaders: map[string][]string{"If-Modified-Since": {date}}}))
	require.NoError(t, err)
	var resp events.APIGatewayProxyResponse
	require.NoError(t, json.Unmarshal(out, &resp))
	require.Equal(t, http.StatusTeapot, resp.StatusCode)
	require.Equal(t, []string{"a=1", "b=2"}, resp.MultiValueHeaders["Set-Cookie"])
	require.Equal(t, []string{date}, resp.MultiValueHeaders["X-Seen"], "format 2.0's adapter would split it at the comma")
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}
