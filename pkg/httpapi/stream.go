package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

// stream is one client that listens to events.
type stream struct {
	h     *handler
	w     http.ResponseWriter
	out   *http.ResponseController
	after int64
	token string // to ask again whether the listener may still listen
}

const (
	streamPage  = 100
	streamWrite = 30 * time.Second // a client that takes nothing for so long is dropped
)

// StreamEvents answers streamEvents: the feed from a place on, as it grows.
func (h *handler) StreamEvents(ctx context.Context, p oas.StreamEventsParams, w http.ResponseWriter) error {
	s := &stream{h: h, w: w, out: http.NewResponseController(w), token: requestOf(ctx).Token}
	var err error
	if s.after, err = h.startOf(ctx, p); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if err := s.send("retry: 2000\nid: %d\n\n", s.after); err != nil {
		return nil // the client is gone; there is nobody to tell
	}
	s.run(ctx)
	return nil
}

// startOf gives the place to begin after: what a reconnecting browser says, what was asked for, or now.
func (h *handler) startOf(ctx context.Context, p oas.StreamEventsParams) (int64, error) {
	if p.LastEventID.Value != "" {
		seq, err := strconv.ParseInt(p.LastEventID.Value, 10, 64)
		if err != nil || seq < 0 {
			return 0, errs.New(errs.Invalid, "Last-Event-ID %q is not a sequence number", p.LastEventID.Value)
		}
		return seq, nil
	}
	if p.After.Set {
		return p.After.Value, nil
	}
	head, err := h.Events.Head(ctx)
	return head.Seq, err
}

// run sends until the client or the host goes. The wake-up is taken before the feed is read, so that
// nothing falls in between.
func (s *stream) run(ctx context.Context) {
	beat := time.NewTicker(s.h.Heartbeat)
	defer beat.Stop()
	for {
		changed := s.h.Events.Changed()
		if err := s.drain(ctx); err != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			if s.alive(ctx) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-s.h.Stopping:
			return
		}
	}
}

// drain sends all that is there.
func (s *stream) drain(ctx context.Context) error {
	for {
		events, err := s.h.Events.After(ctx, s.after, streamPage)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := s.event(e); err != nil {
				return err
			}
		}
		if len(events) < streamPage {
			return nil
		}
	}
}

func (s *stream) event(e audit.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %d: %w", e.Seq, err)
	}
	s.after = e.Seq
	return s.send("id: %d\ndata: %s\n\n", e.Seq, body)
}

// alive gives a sign of life, and ends the stream of somebody who was shut out meanwhile.
func (s *stream) alive(ctx context.Context) error {
	p, err := s.h.Sessions.Authenticate(ctx, s.token)
	if err != nil {
		return err
	}
	if err := permit(p, Operations["streamEvents"].Permission); err != nil {
		return err
	}
	return s.send(": still here\n\n")
}

func (s *stream) send(format string, args ...any) error {
	_ = s.out.SetWriteDeadline(time.Now().Add(streamWrite)) // not every writer has deadlines
	if _, err := fmt.Fprintf(s.w, format, args...); err != nil {
		return err
	}
	return s.out.Flush()
}
