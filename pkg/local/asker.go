package local

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// Invoke passes a request to an endpoint of the local SageMaker.
func (p *Platform) Invoke(ctx context.Context, endpoint string, body []byte) (*http.Response, error) {
	return p.sagemaker.Invoke(ctx, endpoint, body)
}

// invokeWhole is Invoke with the answer read to its end.
func (p *Platform) invokeWhole(ctx context.Context, endpoint string, body []byte) (int, []byte, error) {
	resp, err := p.Invoke(ctx, endpoint, body)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return 0, nil, fmt.Errorf("read answer of %s: %w", endpoint, err)
	}
	return resp.StatusCode, b, nil
}
