package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/httpapi"
)

// An event that a consumer could not act on is seen, and replayed once its cause is mended (P3).
func TestDeadLetters_AreListedAndReplayed(t *testing.T) {
	broken, handled := true, 0
	var c *audit.Consumer
	w := newWorld(t, func(d *httpapi.Deps) {
		c = &audit.Consumer{Name: "triggers", Table: d.Table, Clock: d.Clock, Tries: 1, Handle: func(context.Context, audit.Event) error {
			if handled++; broken {
				return errors.New("no such queue")
			}
			return nil
		}}
		d.DeadLetters = c
	})
	c.Feed = w.events
	_, err := c.Step(t.Context())
	require.NoError(t, err)

	list := w.call("root", http.MethodGet, "/v1/dead-letters?limit=1", "")
	require.Equal(t, 200, list.StatusCode, string(list.body))
	require.Contains(t, string(list.body), `"error":"no such queue"`)
	require.Contains(t, string(list.body), `"nextCursor"`)

	again := func(who, seq string) answer {
		return w.call(who, http.MethodPost, "/v1/dead-letters/"+seq+"/replay", "")
	}
	failed := again("root", "1")
	require.Equal(t, 503, failed.StatusCode, string(failed.body))
	require.Contains(t, string(failed.body), "no such queue")
	broken, handled = false, 0
	require.Equal(t, 204, again("root", "1").StatusCode)
	require.Equal(t, 1, handled)
	require.Equal(t, 404, again("root", "1").StatusCode, "it is gone")
	require.Equal(t, 403, again("dan", "2").StatusCode)
}
