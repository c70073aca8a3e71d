package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/training"
)

// Overview is the loop at a glance as the API shows it.
type Overview struct {
	Stages []struct {
		Name    string `json:"name"`
		Health  string `json:"health"`
		Summary string `json:"summary"`
	} `json:"stages"`
	Next []struct {
		What  string    `json:"what"`
		Model string    `json:"model"`
		At    time.Time `json:"at"`
	} `json:"next"`
	NeedsMe []struct {
		Kind    string    `json:"kind"`
		Title   string    `json:"title"`
		Since   time.Time `json:"since"`
		Subject struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"subject"`
	} `json:"needsMe"`
	Models []struct {
		Model        string `json:"model"`
		Champion     int    `json:"champion"`
		Environments []struct {
			Name    string `json:"name"`
			Version int    `json:"version"`
		} `json:"environments"`
		Run *training.Run `json:"run"`
	} `json:"models"`
}

func (a *app) status() *cobra.Command {
	var watch bool
	cmd := &cobra.Command{Use: "status", Short: "the loop at a glance", Args: exactly()}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again whenever it changes")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		last, err := a.showStatus(cmd.Context(), cmd, "")
		if !watch || err != nil {
			return err
		}
		return a.watch(cmd, last)
	}
	return cmd
}

// watch shows the overview whenever it changes. A platform that stops is waited for: it may come back.
func (a *app) watch(cmd *cobra.Command, last string) error {
	return poll(cmd.Context(), time.Second, func() (_ bool, err error) {
		last, err = a.showStatus(cmd.Context(), cmd, last)
		if cmd.Context().Err() != nil || !errs.Is(err, errs.Unavailable) {
			return false, err
		}
		if last != gone {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s does not answer; waiting until it does\n", a.client().URL)
		}
		last = gone
		return false, nil
	})
}

// gone stands for the overview of a platform that does not answer.
const gone = "gone"

// showStatus prints the overview unless it is what was printed last.
func (a *app) showStatus(ctx context.Context, cmd *cobra.Command, last string) (string, error) {
	var o Overview
	if err := a.client().Get(ctx, "/v1/overview", &o); err != nil {
		return last, err
	}
	seen, err := json.Marshal(o)
	if err != nil || string(seen) == last {
		return last, err
	}
	if out, ok := cmd.OutOrStdout().(interface{ Fd() uintptr }); ok && last != "" && !a.json && isatty.IsTerminal(out.Fd()) {
		fmt.Fprint(cmd.OutOrStdout(), "\033[H\033[2J")
	}
	return string(seen), a.show(cmd, o, func(w io.Writer) { printOverview(w, o) })
}

func printOverview(w io.Writer, o Overview) {
	var rows [][]string
	for _, s := range o.Stages {
		rows = append(rows, []string{s.Name, s.Health, s.Summary})
	}
	grid(w, "STAGE HEALTH STATE", rows)
	for _, m := range o.Models {
		fmt.Fprintf(w, "\n%s: champion version %s;", m.Model, versionOrDash(m.Champion))
		for _, e := range m.Environments {
			fmt.Fprintf(w, " %s %s", e.Name, versionOrDash(e.Version))
		}
		fmt.Fprintln(w)
	}
	for _, n := range o.NeedsMe {
		fmt.Fprintf(w, "needs you: %s (%s %s)\n", n.Title, n.Subject.Type, n.Subject.ID)
	}
	for _, n := range o.Next {
		fmt.Fprintf(w, "next: %s\n", n.What)
	}
}

func (a *app) benchmarks() *cobra.Command {
	return &cobra.Command{Use: "benchmarks", Short: "list benchmarks", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		var bs list[benchmark.Header]
		if err := a.client().Get(cmd.Context(), "/v1/benchmarks", &bs); err != nil {
			return err
		}
		return a.show(cmd, bs, func(w io.Writer) {
			var rows [][]string
			for _, b := range bs.Items {
				rows = append(rows, []string{b.Name, b.Scorer.Kind, fmt.Sprint(b.ItemCount), benchmark.ShortLock(b.Lock)})
			}
			grid(w, "BENCHMARK SCORER ITEMS LOCK", rows)
		})
	}}
}
