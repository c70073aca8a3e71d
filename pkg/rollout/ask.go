package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Invoke passes a request body to an endpoint and gives the HTTP status and the body of its answer.
type Invoke func(ctx context.Context, endpoint string, body []byte) (status int, answer []byte, err error)

// Ask puts one prompt to an endpoint that speaks OpenAI's chat completions, greedily. The answer's digest
// is what the server says of itself: ours in system_fingerprint, vLLM in model, which is the name that
// the endpoint was told to serve under.
func (f Invoke) Ask(ctx context.Context, endpoint, prompt string) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]any{"max_tokens": askTokens, "temperature": 0,
		"messages": []map[string]string{{"role": "user", "content": prompt}}})
	if err != nil {
		return Answer{}, fmt.Errorf("encode prompt: %w", err)
	}
	status, answer, err := f(ctx, endpoint, body)
	if err != nil {
		return Answer{}, err
	}
	if status != 200 {
		return Answer{}, errs.New(errs.Unhealthy, "endpoint %s answered %d", endpoint, status)
	}
	return readAnswer(endpoint, answer)
}

const (
	askTokens  = 32 // enough for what canned prompts expect
	askTimeout = 30 * time.Second
)

func readAnswer(endpoint string, body []byte) (Answer, error) {
	var out struct {
		Fingerprint string `json:"system_fingerprint"`
		Model       string `json:"model"`
		Choices     []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(body, &out); err != nil || len(out.Choices) == 0 {
		return Answer{}, errs.New(errs.Unhealthy, "endpoint %s gave no completion", endpoint)
	}
	return Answer{Text: out.Choices[0].Message.Content, Digest: cmp.Or(out.Fingerprint, out.Model)}, nil
}
