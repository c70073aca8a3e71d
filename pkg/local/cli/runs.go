package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/training"
)

func (a *app) models() *cobra.Command {
	cmd := &cobra.Command{Use: "models", Short: "list models and their champions", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		var ms list[registry.Model]
		if err := a.client().Get(cmd.Context(), "/v1/models", &ms); err != nil {
			return err
		}
		return a.show(cmd, ms, func(w io.Writer) {
			var rows [][]string
			for _, m := range ms.Items {
				rows = append(rows, []string{m.ID, m.Dataset, m.Preset, orDash(strings.Join(m.Benchmarks, ","))})
			}
			grid(w, "MODEL DATASET PRESET BENCHMARKS", rows)
		})
	}}
	cmd.AddCommand(a.versions(), a.modelsAdd(), a.modelsImport(), a.modelsPolicy(), a.modelsAnchor())
	return cmd
}

func (a *app) modelsAdd() *cobra.Command {
	in := map[string]any{}
	var dataset string
	var benchmarks []string
	cmd := &cobra.Command{Use: "add ID", Short: "add a model with its environments", Args: exactly("ID")}
	cmd.Flags().StringVar(&dataset, "dataset", "", "dataset that it learns from (needed)")
	cmd.Flags().StringSliceVar(&benchmarks, "benchmarks", nil, "benchmarks that guard it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in["id"], in["dataset"] = args[0], dataset
		if len(benchmarks) > 0 {
			in["benchmarks"] = benchmarks
		}
		var m registry.Model
		if err := a.client().Post(cmd.Context(), "/v1/models", in, &m); err != nil {
			return err
		}
		return a.show(cmd, m, func(w io.Writer) { fmt.Fprintf(w, "added %s\n", m.ID) })
	}
	return cmd
}

func (a *app) modelsImport() *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "import FOLDER", Short: "register a model folder as a version; the first becomes champion", Args: exactly("FOLDER"),
		Long: "FOLDER is a model folder with a manifest, as `python -m continual models` and training write it: on the\n" +
			"platform's own machine a path, otherwise a key prefix in the object store."}
	cmd.Flags().StringVar(&reason, "reason", "imported", "why")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		model, err := a.theModel(cmd.Context())
		if err != nil {
			return err
		}
		folder := args[0]
		if abs, err := filepath.Abs(folder); err == nil {
			if _, err := os.Stat(filepath.Join(abs, "manifest.json")); err == nil {
				folder = abs
			}
		}
		var v registry.Version
		in := map[string]any{"artifact": strings.TrimSuffix(folder, "/") + "/", "reason": reason}
		if err := a.client().Post(cmd.Context(), "/v1/models/"+url.PathEscape(model)+"/versions", in, &v); err != nil {
			return err
		}
		return a.show(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "version %d of %s: %s\n", v.Number, v.Model, v.Digest) })
	}
	return cmd
}

func (a *app) versions() *cobra.Command {
	return &cobra.Command{Use: "versions", Short: "list the versions of a model", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		model, err := a.theModel(cmd.Context())
		if err != nil {
			return err
		}
		var vs list[registry.Version]
		if err := a.client().Get(cmd.Context(), "/v1/models/"+url.PathEscape(model)+"/versions", &vs); err != nil {
			return err
		}
		return a.show(cmd, vs, func(w io.Writer) {
			var rows [][]string
			for _, v := range vs.Items {
				rows = append(rows, []string{fmt.Sprint(v.Number), string(v.Origin), string(v.Status), orDash(v.Verdict), short(v.Digest), orDash(strings.Join(v.Aliases, ",")), ago(v.Created)})
			}
			grid(w, "VERSION ORIGIN STATUS VERDICT DIGEST ALIASES CREATED", rows)
		})
	}}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (a *app) runs() *cobra.Command {
	cmd := &cobra.Command{Use: "runs [RUN]", Short: "list runs, or show one", Args: atMostOne("RUN")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return a.showRun(cmd, args[0])
		}
		var rs list[training.Run]
		if err := a.client().Get(cmd.Context(), "/v1/runs?"+url.Values{"model": named(a.model)}.Encode(), &rs); err != nil {
			return err
		}
		return a.show(cmd, rs, func(w io.Writer) {
			var rows [][]string
			for _, r := range rs.Items {
				rows = append(rows, []string{r.ID, r.Model, string(r.Trigger), r.Preset, string(r.Status), orDash(r.Verdict), versionOrDash(r.Candidate), ago(r.Created)})
			}
			grid(w, "RUN MODEL TRIGGER PRESET STATUS VERDICT VERSION CREATED", rows)
		})
	}
	cmd.AddCommand(a.runsLogs(), a.runsCancel(), a.runsRetry())
	return cmd
}

// named gives a filter's values: none without a name.
func named(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

func versionOrDash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// step is one step of a run's workflow as the API shows it.
type step struct {
	Name    string    `json:"name"`
	Status  string    `json:"status"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Detail  string    `json:"detail"`
	Error   string    `json:"error"`
}

func (a *app) showRun(cmd *cobra.Command, id string) error {
	c := a.client()
	var r training.Run
	if err := c.Get(cmd.Context(), "/v1/runs/"+url.PathEscape(id), &r); err != nil {
		return err
	}
	var steps list[step]
	if err := c.Get(cmd.Context(), "/v1/runs/"+url.PathEscape(id)+"/steps", &steps); err != nil {
		return err
	}
	return a.show(cmd, map[string]any{"run": r, "steps": steps.Items}, func(w io.Writer) {
		fmt.Fprintf(w, "%s of %s: %s %s\n", r.ID, r.Model, r.Status, r.Verdict)
		if r.Error != "" {
			fmt.Fprintf(w, "  %s\n", r.Error)
		}
		var rows [][]string
		for _, s := range steps.Items {
			took := "-"
			if !s.Ended.IsZero() {
				took = s.Ended.Sub(s.Started).Round(time.Millisecond).String()
			}
			rows = append(rows, []string{s.Name, s.Status, took, s.Detail + s.Error})
		}
		grid(w, "STEP STATUS TOOK DETAIL", rows)
	})
}

func (a *app) runsLogs() *cobra.Command {
	return &cobra.Command{Use: "logs RUN", Short: "print what the training job wrote", Args: exactly("RUN"), RunE: func(cmd *cobra.Command, args []string) error {
		all := []string{}
		err := a.client().logs(cmd.Context(), args[0], func(line string) {
			if a.json {
				all = append(all, line)
				return
			}
			fmt.Fprintln(cmd.OutOrStdout(), line)
		})
		if err != nil {
			return err
		}
		return a.show(cmd, map[string][]string{"lines": all}, func(io.Writer) {})
	}}
}

// logs reads what a run's job has written so far, page by page.
func (c *Client) logs(ctx context.Context, run string, each func(line string)) error {
	for after := int64(0); ; {
		var page struct {
			Lines []string `json:"lines"`
			Next  int64    `json:"next"`
		}
		if err := c.Get(ctx, fmt.Sprintf("/v1/runs/%s/logs?after=%d", url.PathEscape(run), after), &page); err != nil {
			return err
		}
		for _, l := range page.Lines {
			each(l)
		}
		if page.Next == after || len(page.Lines) == 0 {
			return nil
		}
		after = page.Next
	}
}

func (a *app) runsCancel() *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "cancel RUN", Short: "stop a run", Args: exactly("RUN")}
	because(cmd, &reason)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var r training.Run
		if err := a.client().Post(cmd.Context(), "/v1/runs/"+args[0]+"/cancel", map[string]string{"reason": reason}, &r); err != nil {
			return err
		}
		return a.show(cmd, r, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", r.ID, r.Status) })
	}
	return cmd
}

func (a *app) runsRetry() *cobra.Command {
	return &cobra.Command{Use: "retry RUN", Short: "run a failed or cancelled run again", Args: exactly("RUN"), RunE: func(cmd *cobra.Command, args []string) error {
		var r training.Run
		if err := a.client().Post(cmd.Context(), "/v1/runs/"+args[0]+"/retry", nil, &r); err != nil {
			return err
		}
		return a.show(cmd, r, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", r.ID, r.Status) })
	}}
}

func (a *app) train() *cobra.Command {
	var preset, reason string
	var wait bool
	cmd := &cobra.Command{Use: "train", Short: "start a run on the data not yet learned", Args: exactly()}
	cmd.Flags().StringVar(&preset, "preset", "", "training preset, one of "+strings.Join(registry.Presets, ", ")+" (default: the model's)")
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	cmd.Flags().BoolVar(&wait, "wait", false, "follow it to its end")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		model, err := a.theModel(cmd.Context())
		if err != nil {
			return err
		}
		in := map[string]any{"model": model, "reason": reason}
		if preset != "" {
			in["preset"] = preset
		}
		var r training.Run
		if err := a.client().Post(cmd.Context(), "/v1/runs", in, &r); err != nil {
			return err
		}
		if wait {
			r, err = a.client().FollowRun(cmd.Context(), r.ID, func(training.Run) {})
		}
		if err != nil {
			return err
		}
		err = a.show(cmd, r, func(w io.Writer) { fmt.Fprintf(w, "%s: %s %s\n", r.ID, r.Status, r.Verdict) })
		if r.Status == training.Failed || r.Status == training.Cancelled {
			return errs.New(errs.Unhealthy, "the run ended as %s: %s", strings.ToLower(string(r.Status)), cmp.Or(r.Error, "no reason given")).
				Mend("see: perennial runs %s, perennial runs logs %s", r.ID, r.ID)
		}
		return err
	}
	return cmd
}

// FollowRun polls a run until it ends.
func (c *Client) FollowRun(ctx context.Context, id string, each func(training.Run)) (training.Run, error) {
	var r training.Run
	err := poll(ctx, 500*time.Millisecond, func() (bool, error) {
		err := c.Get(ctx, "/v1/runs/"+url.PathEscape(id), &r)
		if err == nil {
			each(r)
		}
		return r.Status.Final(), err
	})
	return r, err
}
