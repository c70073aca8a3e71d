package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/lineage"
)

// Reply is a model's answer through the gateway.
type Reply struct {
	Text    string `json:"text"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// Ask puts a question to an environment through the gateway.
func (c *Client) Ask(ctx context.Context, env, model, question string) (Reply, error) {
	body, err := json.Marshal(map[string]any{"model": model, "max_tokens": 64, "temperature": 0,
		"messages": []map[string]string{{"role": "user", "content": question}}})
	if err != nil {
		return Reply{}, err
	}
	resp, err := c.Do(ctx, "POST", "/gateway/"+url.PathEscape(env)+"/v1/chat/completions", strings.NewReader(string(body)), "Content-Type", "application/json")
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close()
	var out struct {
		Fingerprint string `json:"system_fingerprint"`
		Choices     []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := decodeBody(resp.Body, &out); err != nil {
		return Reply{}, err
	}
	if len(out.Choices) == 0 {
		return Reply{}, errs.New(errs.Unhealthy, "the model gave no answer")
	}
	return Reply{Text: strings.TrimSpace(out.Choices[0].Message.Content), Version: resp.Header.Get("Perennial-Version"), Digest: out.Fingerprint}, nil
}

func (a *app) ask() *cobra.Command {
	var env string
	cmd := &cobra.Command{Use: "ask QUESTION", Short: "ask the live model", Args: exactly("QUESTION")}
	cmd.Flags().StringVarP(&env, "env", "e", "production", "environment")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		model, err := a.theModel(cmd.Context())
		if err != nil {
			return err
		}
		r, err := a.client().Ask(cmd.Context(), env, model, args[0])
		if err != nil {
			return err
		}
		return a.show(cmd, r, func(w io.Writer) { fmt.Fprintf(w, "%s\n  — version %s (%s)\n", r.Text, r.Version, short(r.Digest)) })
	}
	return cmd
}

// Graph is an answer of the lineage API; edges name their nodes as type:id.
type Graph struct {
	Nodes []struct {
		lineage.Node
		Label string   `json:"label,omitempty"`
		Share *float64 `json:"share,omitempty"` // percent of live requests
	} `json:"nodes"`
	Edges []struct {
		From string `json:"from"`
		To   string `json:"to"`
	} `json:"edges"`
}

// known tells a node without relations in one direction from one that nothing is recorded about.
func (a *app) known(ctx context.Context, g Graph, q url.Values) error {
	if len(g.Edges) > 0 {
		return nil
	}
	other := url.Values{"node": q["node"], "depth": {"1"},
		"direction": {map[string]string{"forward": "backward", "backward": "forward"}[q.Get("direction")]}}
	if err := a.client().Get(ctx, "/v1/lineage?"+other.Encode(), &g); err != nil || len(g.Edges) > 0 {
		return err
	}
	return errs.New(errs.NotFound, "nothing is recorded about %s", q.Get("node")).Mend("see perennial lineage --help for the kinds of node")
}

func (a *app) lineage() *cobra.Command {
	var forward bool
	cmd := &cobra.Command{Use: "lineage NODE", Short: "what came of something, or what it came from", Args: exactly("NODE"),
		Long: "NODE is type:id, such as shard:SHA256, datasetVersion:support@2, modelVersion:support@3 or environment:support/production."}
	cmd.Flags().BoolVar(&forward, "forward", false, "what came of it (default: what it came from)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir := map[bool]string{true: "forward", false: "backward"}[forward]
		var g Graph
		q := url.Values{"node": {args[0]}, "direction": {dir}, "depth": {"20"}}
		if err := a.client().Get(cmd.Context(), "/v1/lineage?"+q.Encode(), &g); err != nil {
			return err
		}
		if err := a.known(cmd.Context(), g, q); err != nil {
			return err
		}
		return a.show(cmd, g, func(w io.Writer) {
			var rows [][]string
			for _, e := range g.Edges {
				rows = append(rows, []string{e.From, "→", e.To})
			}
			grid(w, "FROM → TO", rows)
		})
	}
	return cmd
}
