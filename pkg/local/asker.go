package local

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

// invoker passes a body to an endpoint.
type invoker interface {
	Invoke(ctx context.Context, endpoint string, body []byte) (*http.Response, error)
}

// asker puts single prompts to endpoints.
type asker struct{ invoker }

// askTimeout bounds one question.
const askTimeout = 30 * time.Second

// Ask asks greedily and gives the answer with the digest of what answered.
func (a asker) Ask(ctx context.Context, endpoint, prompt string) (rollout.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]any{"max_tokens": 48, "temperature": 0,
		"messages": []map[string]string{{"role": "user", "content": prompt}}})
	if err != nil {
		return rollout.Answer{}, err
	}
	resp, err := a.Invoke(ctx, endpoint, body)
	if err != nil {
		return rollout.Answer{}, err
	}
	defer resp.Body.Close()
	return readAnswer(resp)
}

func readAnswer(resp *http.Response) (rollout.Answer, error) {
	var out struct {
		Fingerprint string `json:"system_fingerprint"`
		Choices     []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&out)
	if resp.StatusCode != http.StatusOK {
		return rollout.Answer{}, errs.New(errs.Unhealthy, "endpoint answered %s", resp.Status)
	}
	if err != nil || len(out.Choices) == 0 {
		return rollout.Answer{}, errs.New(errs.Unhealthy, "endpoint gave no completion: %v", err)
	}
	return rollout.Answer{Text: out.Choices[0].Message.Content, Digest: out.Fingerprint}, nil
}
