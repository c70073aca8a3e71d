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

func TestProxy_TellsWhoAskedCloudFront(t *testing.T) {
	for forwarded, want := range map[string]string{"198.51.100.7, 130.176.1.1": "198.51.100.7", "1.2.3.4, 2001:db8::7,130.176.1.1": "2001:db8::7", "198.51.100.7": "192.0.2.1", "": "192.0.2.1"} {
		var got string
		h := host.Proxy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.RemoteAddr
			w.WriteHeader(http.StatusNoContent)
		}))
		_, err := h.Invoke(t.Context(), marshal(t, events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/v1/me",
			MultiValueHeaders: map[string][]string{"X-Forwarded-For": {forwarded}},
			RequestContext:    events.APIGatewayProxyRequestContext{Identity: events.APIGatewayRequestIdentity{SourceIP: "192.0.2.1"}}}))
		require.NoError(t, err)
		require.Equal(t, want, got, forwarded)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}
