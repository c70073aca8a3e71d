package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/httpapi"
)

// listener reads an event stream.
type listener struct {
	t      testing.TB
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

func (w *world) listen(who, query string, header ...string) *listener {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	req, err := http.NewRequestWithContext(ctx, "GET", w.server.URL+"/v1/events/stream"+query, nil)
	require.NoError(w.t, err)
	req.AddCookie(&http.Cookie{Name: httpapi.SessionCookie, Value: w.sessions[who]})
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.server.Client().Do(req)
	require.NoError(w.t, err)
	require.Equal(w.t, 200, resp.StatusCode)
	require.Equal(w.t, "text/event-stream", resp.Header.Get("Content-Type"))
	w.t.Cleanup(func() { cancel(); _ = resp.Body.Close() })
	return &listener{w.t, bufio.NewScanner(resp.Body), cancel}
}

// next gives the next event; ok is false when the stream has ended.
func (l *listener) next() (e audit.Event, ok bool) {
	l.t.Helper()
	for l.lines.Scan() {
		if data, found := strings.CutPrefix(l.lines.Text(), "data: "); found {
			require.NoError(l.t, json.Unmarshal([]byte(data), &e))
			return e, true
		}
	}
	return e, false
}

// ended reads the stream to its end.
func (l *listener) ended() {
	l.t.Helper()
	for l.lines.Scan() {
		require.NotContains(l.t, l.lines.Text(), "data:")
	}
	require.NoError(l.t, l.lines.Err(), "the server must end it, not the test's patience")
}

func (w *world) happen(n int) (last int64) {
	w.t.Helper()
	for i := range n {
		e, err := w.events.Commit(w.ctx, audit.Change{Actor: w.root.Actor, Type: "Happened", Subject: audit.Subject{Type: "test", ID: fmt.Sprint(i)}})
		require.NoError(w.t, err)
		last = e.Seq
	}
	return last
}

func TestStream_BeginsNowAndFollowsTheFeedInOrder(t *testing.T) {
	w := newWorld(t)
	before := w.happen(3)
	l := w.listen("vic", "")
	w.happen(250)
	for i := range int64(250) {
		e, ok := l.next()
		require.True(t, ok)
		require.Equal(t, before+1+i, e.Seq)
	}
}

func TestStream_ResumesWithoutAGapOrADouble(t *testing.T) {
	w := newWorld(t)
	start := w.happen(1)
	l := w.listen("vic", fmt.Sprintf("?after=%d", start))
	w.happen(2)
	first, _ := l.next()
	require.Equal(t, start+1, first.Seq)
	l.cancel()
	w.happen(2)
	l = w.listen("vic", "?after=0", "Last-Event-ID", fmt.Sprint(first.Seq))
	for i := range int64(3) {
		e, ok := l.next()
		require.True(t, ok)
		require.Equal(t, first.Seq+1+i, e.Seq)
	}
}

func TestStream_EndsForSomebodyWhoWasShutOut(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.Heartbeat = time.Millisecond })
	l := w.listen("vic", "")
	require.NoError(t, w.identity.SignOut(w.ctx, w.sessions["vic"]))
	for l.lines.Scan() {
	}
	require.NoError(t, l.lines.Err())
}

func TestStream_EndsWhenTheHostStops(t *testing.T) {
	stopping := make(chan struct{})
	w := newWorld(t, func(d *httpapi.Deps) { d.Stopping = stopping })
	l := w.listen("vic", "")
	close(stopping)
	l.ended()
}

func TestEvents_APollerSeesTheSameAsAStream(t *testing.T) {
	w := newWorld(t)
	last := w.happen(5)
	var page struct {
		Items       []audit.Event
		Next        int64
		PollAfterMs int
	}
	w.call("vic", "GET", "/v1/events?limit=2", "").into(t, &page)
	require.Len(t, page.Items, 2, "the newest")
	require.Equal(t, last, page.Next)
	require.Positive(t, page.PollAfterMs)
	w.call("vic", "GET", fmt.Sprintf("/v1/events?after=%d", page.Next), "").into(t, &page)
	require.Empty(t, page.Items)
	require.Equal(t, last, page.Next)
	w.happen(3)
	w.call("vic", "GET", fmt.Sprintf("/v1/events?after=%d&limit=2", page.Next), "").into(t, &page)
	require.Equal(t, []int64{last + 1, last + 2}, []int64{page.Items[0].Seq, page.Items[1].Seq})
	require.Equal(t, last+2, page.Next)
}
