package sagemaker

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// client talks to model servers. Answers stream, so there is no overall timeout: contexts bound calls.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}

// Invoke passes a JSON request to an endpoint's /invocations and gives the answer as it streams; the
// caller closes its body. While a server is starting (again) the call waits for it until ctx ends.
// errs.NotFound without such an endpoint, errs.Unavailable when its server does not answer.
func (s *Service) Invoke(ctx context.Context, endpoint string, body []byte) (*http.Response, error) {
	port, err := s.port(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/invocations", port), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", endpoint, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, errs.New(errs.Unavailable, "endpoint %s does not answer: %w", endpoint, err)
	}
	return resp, nil
}

// port waits until an endpoint's server is up.
func (s *Service) port(ctx context.Context, endpoint string) (int, error) {
	for {
		s.mu.Lock()
		srv, ok := s.serving[endpoint]
		if !ok {
			s.mu.Unlock()
			return 0, errs.New(errs.NotFound, "no endpoint %q", endpoint)
		}
		phase, port, why, changed := srv.phase, srv.port, srv.why, srv.changed
		s.mu.Unlock()
		switch phase {
		case up:
			return port, nil
		case broken:
			return 0, errs.New(errs.Unavailable, "endpoint %s: %s", endpoint, why)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, errs.New(errs.Unavailable, "endpoint %s is starting", endpoint).Mend("try again in a few seconds")
		}
	}
}
