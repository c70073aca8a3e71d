package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/training"
)

func (a *app) modelsPolicy() *cobra.Command {
	var set, reason string
	cmd := &cobra.Command{Use: "policy", Short: "print a model's gate policy, or give it another", Args: exactly(),
		Example: "  perennial models policy > policy.json\n  perennial models policy --set policy.json --reason 'margins of our own suite'"}
	cmd.Flags().StringVar(&set, "set", "", "file with the new policy")
	cmd.Flags().StringVar(&reason, "reason", "", "why it changes (needed with --set)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		model, err := a.theModel(cmd.Context())
		if err != nil {
			return err
		}
		path := "/v1/models/" + url.PathEscape(model) + "/policy"
		var v training.PolicyVersion
		if err := a.client().Get(cmd.Context(), path, &v); err != nil {
			return err
		}
		if set == "" {
			return a.show(cmd, v, func(w io.Writer) { printPolicy(w, v) })
		}
		policy, err := policyFile(set)
		if err != nil {
			return err
		}
		in := map[string]any{"policy": policy, "reason": reason}
		if err := a.client().Put(cmd.Context(), path, int64(v.Number), in, &v); err != nil {
			return err
		}
		return a.show(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "policy %d of %s: %s\n", v.Number, v.Model, v.Digest) })
	}
	return cmd
}

func printPolicy(w io.Writer, v training.PolicyVersion) {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v.Policy) // JSON already; the terminal may be gone
}

// policyFile reads a policy as it is: the platform says what is wrong in it.
func policyFile(path string) (json.RawMessage, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, errs.New(errs.NotFound, "the file cannot be opened: %w", err).At(path).Mend("check the path")
	}
	if !json.Valid(content) {
		return nil, errs.New(errs.Invalid, "not JSON").At(path).Mend("start from: perennial models policy")
	}
	return content, nil
}

func (a *app) modelsAnchor() *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "anchor VERSION", Short: "pin the version that candidates are compared with besides the champion; 0 = their first ancestor",
		Args: exactly("VERSION")}
	cmd.Flags().StringVar(&reason, "reason", "", "why (needed)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		model, err := a.theModel(cmd.Context())
		if err != nil {
			return err
		}
		version, err := strconv.Atoi(args[0])
		if err != nil {
			return errs.New(errs.Invalid, "%q is no version", args[0]).Mend("give its number, such as 1")
		}
		path := "/v1/models/" + url.PathEscape(model)
		var m registry.Model
		if err := a.client().Get(cmd.Context(), path, &m); err != nil {
			return err
		}
		if err := a.client().Put(cmd.Context(), path+"/anchor", m.Rev, map[string]any{"version": version, "reason": reason}, &m); err != nil {
			return err
		}
		return a.show(cmd, m, func(w io.Writer) { fmt.Fprintf(w, "anchor of %s: %s\n", m.ID, anchorName(m.Anchor)) })
	}
	return cmd
}

func anchorName(version int) string {
	if version == 0 {
		return "each candidate's first ancestor"
	}
	return fmt.Sprintf("version %d", version)
}
