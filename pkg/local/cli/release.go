package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/rollout"
)

func (a *app) approvals() *cobra.Command {
	return &cobra.Command{Use: "approvals", Short: "list what waits for a decision", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		var as list[rollout.Approval]
		if err := a.client().Get(cmd.Context(), "/v1/approvals?status=Pending", &as); err != nil {
			return err
		}
		return a.show(cmd, as, func(w io.Writer) {
			var rows [][]string
			for _, p := range as.Items {
				rows = append(rows, []string{p.ID, p.Model, fmt.Sprint(p.Version), p.Requester.Name, fmt.Sprintf("%d of %d", len(p.Decisions), p.Required), p.Expires.Local().Format("01-02 15:04")})
			}
			grid(w, "APPROVAL MODEL VERSION REQUESTER DECISIONS EXPIRES", rows)
		})
	}}
}

func (a *app) approve() *cobra.Command { return a.decide("approve", "approve a release", true) }
func (a *app) reject() *cobra.Command  { return a.decide("reject", "refuse a release", false) }

func (a *app) decide(use, short string, yes bool) *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: use + " APPROVAL", Short: short, Args: exactly("APPROVAL")}
	because(cmd, &reason)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var seen, out rollout.Approval
		c := a.client()
		if err := c.Get(cmd.Context(), "/v1/approvals/"+args[0], &seen); err != nil {
			return err
		}
		in := map[string]any{"approve": yes, "reason": reason, "binding": seen.Binding}
		if err := c.Decide(cmd.Context(), seen, in, &out); err != nil {
			return err
		}
		return a.show(cmd, out, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s (%d of %d)\n", out.ID, out.Status, len(out.Decisions), out.Required)
		})
	}
	return cmd
}

func (a *app) release() *cobra.Command {
	var in struct {
		Model        string   `json:"model"`
		Version      int      `json:"version"`
		Environments []string `json:"environments,omitempty"`
		Reason       string   `json:"reason"`
		BreakGlass   bool     `json:"breakGlass,omitempty"`
	}
	cmd := &cobra.Command{Use: "release VERSION", Short: "ask for the release of a version", Args: exactly("VERSION")}
	cmd.Flags().StringSliceVar(&in.Environments, "to", nil, "environments (default: all in order)")
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why")
	cmd.Flags().BoolVar(&in.BreakGlass, "break-glass", false, "release although the gate failed it: two other people must approve")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if in.Version, err = versionNumber(args[0], "models versions"); err != nil {
			return err
		}
		if in.Model, err = a.theModel(cmd.Context()); err != nil {
			return err
		}
		var out rollout.Release
		if err := a.client().Post(cmd.Context(), "/v1/releases", in, &out); err != nil {
			return err
		}
		return a.show(cmd, out, func(w io.Writer) { fmt.Fprintf(w, "%s waits for approval %s\n", out.ID, out.Approval) })
	}
	return cmd
}

func (a *app) releases() *cobra.Command {
	return &cobra.Command{Use: "releases [RELEASE]", Short: "list releases, or show one's steps", Args: atMostOne("RELEASE"), RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return a.showRelease(cmd, args[0])
		}
		var rs list[rollout.Release]
		if err := a.client().Get(cmd.Context(), "/v1/releases", &rs); err != nil {
			return err
		}
		return a.show(cmd, rs, func(w io.Writer) {
			var rows [][]string
			for _, r := range rs.Items {
				rows = append(rows, []string{r.ID, r.Model, fmt.Sprint(r.Version), string(r.Phase), orDash(r.Environment), fmt.Sprintf("%d%%", r.Weight), ago(r.Created)})
			}
			grid(w, "RELEASE MODEL VERSION PHASE ENVIRONMENT WEIGHT CREATED", rows)
		})
	}}
}

func (a *app) showRelease(cmd *cobra.Command, id string) error {
	var r rollout.Release
	if err := a.client().Get(cmd.Context(), "/v1/releases/"+url.PathEscape(id), &r); err != nil {
		return err
	}
	return a.show(cmd, r, func(w io.Writer) {
		fmt.Fprintf(w, "%s of %s version %d: %s %s\n", r.ID, r.Model, r.Version, r.Phase, r.Error)
		var rows [][]string
		for _, s := range r.Steps {
			rows = append(rows, []string{s.Time.Local().Format("15:04:05"), s.Environment, s.Action, fmt.Sprintf("%d%%", s.Weight), orDash(s.Verdict), s.Detail})
		}
		grid(w, "TIME ENVIRONMENT ACTION WEIGHT VERDICT DETAIL", rows)
	})
}

func (a *app) rollback() *cobra.Command {
	var reason string
	var to int
	cmd := &cobra.Command{Use: "rollback ENVIRONMENT", Short: "go back to the previous version", Args: exactly("ENVIRONMENT")}
	because(cmd, &reason)
	cmd.Flags().IntVar(&to, "to", 0, "version to go back to (default: the previous one)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		model, err := a.theModel(cmd.Context())
		if err != nil {
			return err
		}
		in := map[string]any{"reason": reason}
		if cmd.Flags().Changed("to") {
			if to < 1 {
				return errs.New(errs.Invalid, "%d is no version number", to).At("--to").Mend("see: perennial models versions")
			}
			in["version"] = to
		}
		rb, err := a.client().RollBack(cmd.Context(), model, args[0], in)
		if err != nil {
			return err
		}
		if rb.Status == "Failed" {
			return errs.New(errs.Unhealthy, "the rollback of %s failed: %s", args[0], rb.Error).Mend("see: perennial status")
		}
		return a.show(cmd, rb, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s from version %d to %d in %.1f s; version %d is on hold (%s)\n",
				args[0], strings.ToLower(rb.Status), rb.From.Version, rb.To.Version, rb.Seconds, rb.From.Version, rb.Hold)
		})
	}
	return cmd
}

func (a *app) hold() *cobra.Command {
	cmd := &cobra.Command{Use: "hold", Short: "versions that are kept out of an environment"}
	return group(cmd, a.holdList(), a.holdAdd(), a.holdRelease())
}

func (a *app) holdsPath(cmd *cobra.Command, env string) (string, error) {
	model, err := a.theModel(cmd.Context())
	return fmt.Sprintf("/v1/models/%s/environments/%s/holds", url.PathEscape(model), url.PathEscape(env)), err
}

func (a *app) holdList() *cobra.Command {
	return &cobra.Command{Use: "list ENVIRONMENT", Short: "list holds in force", Args: exactly("ENVIRONMENT"), RunE: func(cmd *cobra.Command, args []string) error {
		path, err := a.holdsPath(cmd, args[0])
		if err != nil {
			return err
		}
		var hs list[rollout.Hold]
		if err := a.client().Get(cmd.Context(), path, &hs); err != nil {
			return err
		}
		return a.show(cmd, hs, func(w io.Writer) {
			var rows [][]string
			for _, h := range hs.Items {
				rows = append(rows, []string{h.ID, fmt.Sprint(h.Version), h.Actor.Name, ago(h.Created), h.Reason})
			}
			grid(w, "HOLD VERSION BY PLACED REASON", rows)
		})
	}}
}

func (a *app) holdAdd() *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "add ENVIRONMENT VERSION", Short: "keep a version out of an environment", Args: exactly("ENVIRONMENT", "VERSION")}
	because(cmd, &reason)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		number, err := versionNumber(args[1], "models versions")
		if err != nil {
			return err
		}
		path, err := a.holdsPath(cmd, args[0])
		if err != nil {
			return err
		}
		var h rollout.Hold
		if err := a.client().Post(cmd.Context(), path, map[string]any{"version": number, "reason": reason}, &h); err != nil {
			return err
		}
		return a.show(cmd, h, func(w io.Writer) { fmt.Fprintf(w, "version %d is kept out of %s (%s)\n", h.Version, args[0], h.ID) })
	}
	return cmd
}

func (a *app) holdRelease() *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "release ENVIRONMENT HOLD", Short: "end a hold", Args: exactly("ENVIRONMENT", "HOLD")}
	because(cmd, &reason)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, err := a.holdsPath(cmd, args[0])
		if err != nil {
			return err
		}
		resp, err := a.client().Do(cmd.Context(), http.MethodDelete, path+"/"+url.PathEscape(args[1])+"?reason="+url.QueryEscape(reason), nil)
		if err != nil {
			return err
		}
		resp.Body.Close()
		return a.show(cmd, map[string]string{"released": args[1]}, func(w io.Writer) { fmt.Fprintf(w, "hold %s is released\n", args[1]) })
	}
	return cmd
}

// every is how often the command line looks while it waits.
const every = 300 * time.Millisecond
