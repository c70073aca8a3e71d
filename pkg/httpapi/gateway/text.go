package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// ask is what the gateway needs to know of a request.
type ask struct{ model, prompt string }

// content is a message's text, given as a text or in parts.
type content string

// UnmarshalJSON joins the parts; parts that are no text, and null, count as empty.
func (c *content) UnmarshalJSON(b []byte) error {
	var whole *string
	if err := json.Unmarshal(b, &whole); err == nil {
		if whole != nil {
			*c = content(*whole)
		}
		return nil
	}
	var parts []struct{ Text string }
	if err := json.Unmarshal(b, &parts); err != nil {
		return errors.New("content is neither a text nor a list of parts")
	}
	for _, p := range parts {
		*c += content(p.Text)
	}
	return nil
}

// shape says how a body of a route looks.
const (
	chatShape = `send {"messages": [{"role": "user", "content": "…"}]}`
	textShape = `send {"prompt": "…"}`
)

// parse reads an OpenAI-shaped request to a route that takes a chat or a prompt.
func parse(body []byte, chat bool) (ask, error) {
	var in struct {
		Model    string
		Prompt   string
		Messages []struct {
			Role    string
			Content content
		}
	}
	shape := map[bool]string{true: chatShape, false: textShape}[chat]
	if err := json.Unmarshal(body, &in); err != nil {
		return ask{}, errs.New(errs.Invalid, "request is not the JSON of a completion: %w", err).Mend("%s", shape)
	}
	if chat && len(in.Messages) == 0 {
		return ask{}, errs.New(errs.Invalid, "request has no messages").At("/messages").Mend("%s", shape)
	}
	if !chat && in.Prompt == "" {
		return ask{}, errs.New(errs.Invalid, "request has no prompt").At("/prompt").Mend("%s", shape)
	}
	parts := []string{}
	for _, m := range in.Messages {
		parts = append(parts, m.Role+": "+string(m.Content))
	}
	return ask{model: in.Model, prompt: in.Prompt + strings.Join(parts, "\n")}, nil
}

// completion is the part of an OpenAI-shaped answer, whole or streamed, that is counted and kept.
type completion struct {
	Choices []struct {
		Text    string
		Message struct{ Content string }
		Delta   struct{ Content string }
	}
	Usage struct {
		Total int `json:"total_tokens"`
	}
}

// read gives the text and the number of tokens of an answer. What cannot be read counts as empty.
func read(contentType string, body []byte) (text string, tokens int) {
	docs := [][]byte{body}
	if strings.HasPrefix(contentType, "text/event-stream") {
		docs = events(body)
	}
	var b strings.Builder
	for _, doc := range docs {
		var c completion
		if json.Unmarshal(doc, &c) != nil {
			continue
		}
		for _, ch := range c.Choices {
			b.WriteString(ch.Text + ch.Message.Content + ch.Delta.Content)
		}
		tokens = max(tokens, c.Usage.Total)
	}
	return b.String(), tokens
}

func events(body []byte) [][]byte {
	var out [][]byte
	for line := range bytes.Lines(body) {
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			out = append(out, bytes.TrimSpace(data))
		}
	}
	return out
}

// statuses maps error codes to HTTP.
var statuses = map[errs.Code]int{
	errs.Invalid: http.StatusBadRequest, errs.NotFound: http.StatusNotFound, errs.Unauthenticated: http.StatusUnauthorized,
	errs.Forbidden: http.StatusForbidden, errs.Unavailable: http.StatusServiceUnavailable, errs.Unhealthy: http.StatusBadGateway,
	errs.Exhausted: http.StatusTooManyRequests,
}

// fail answers in OpenAI's error shape.
func fail(w http.ResponseWriter, err error) {
	status, ok := statuses[errs.CodeOf(err)]
	if !ok {
		status = http.StatusInternalServerError
	}
	refuse(w, status, err)
}

// refuse answers in OpenAI's error shape; only a named error's own words leave the platform.
func refuse(w http.ResponseWriter, status int, err error) {
	message := "internal error"
	var e *errs.Error
	if _, named := statuses[errs.CodeOf(err)]; named && errors.As(err, &e) {
		message = (&errs.Error{Message: e.Message, Where: e.Where, Hint: e.Hint}).Error()
	}
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": message, "type": string(errs.CodeOf(err)), "code": nil}})
}
