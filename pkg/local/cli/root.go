package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// app is what all commands share.
type app struct {
	url   string
	key   string
	model string
	set   string // dataset
	json  bool
}

// Commands gives the commands that talk to a running platform, and adds their flags to root.
func Commands(root *cobra.Command) []*cobra.Command {
	a := &app{}
	f := root.PersistentFlags()
	f.StringVar(&a.url, "url", "", "address of the platform (default: PERENNIAL_URL, the last login, http://localhost:7070)")
	f.StringVar(&a.key, "key", "", "API key (default: PERENNIAL_KEY, the last login)")
	f.StringVarP(&a.model, "model", "m", "", "model (default: PERENNIAL_MODEL, the only one)")
	f.BoolVar(&a.json, "json", false, "print the API's answer as JSON")
	return []*cobra.Command{
		a.login(), a.logout(), a.passwd(), a.status(), a.data(), a.models(), a.runs(), a.train(), a.approvals(), a.approve(), a.reject(),
		a.release(), a.releases(), a.rollback(), a.hold(), a.lineage(), a.ask(), a.users(), a.keys(), a.audit(), a.deadLetters(), a.benchmarks(),
	}
}

// ExitCode maps an error to the process's exit code: 0 none, 2 bad use or bad input, 3 not found,
// 4 not allowed or not signed in, 5 refused by the state of things, 1 anything else.
func ExitCode(err error) int {
	var coded interface{ ExitCode() int }
	var child *exec.ExitError // a failed child's code is not ours
	if errors.As(err, &coded) && !errors.As(err, &child) {
		return coded.ExitCode()
	}
	switch errs.CodeOf(err) {
	case "":
		return 0
	case errs.Invalid:
		return 2
	case errs.NotFound:
		return 3
	case errs.Unauthenticated, errs.Forbidden:
		return 4
	case errs.Conflict, errs.Precondition, errs.Held, errs.GateFailed, errs.Unhealthy, errs.Exhausted:
		return 5
	}
	return 1
}

// login is what a sign-in leaves on disk.
type saved struct {
	URL     string `json:"url"`
	Session string `json:"session,omitempty"`
}

func savedPath() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "perennial", "login.json"), err
}

func loadSaved() saved {
	var s saved
	path, err := savedPath()
	if err != nil {
		return s
	}
	if b, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(b, &s) // a damaged file is as good as none
	}
	return s
}

func (s saved) store() error {
	path, err := savedPath()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

func (a *app) client() *Client {
	last := loadSaved()
	address := cmp.Or(a.url, os.Getenv("PERENNIAL_URL"), last.URL, "http://localhost:7070")
	c := &Client{URL: strings.TrimRight(address, "/"), Key: cmp.Or(a.key, os.Getenv("PERENNIAL_KEY"))}
	if c.URL == last.URL {
		c.Session = last.Session
	}
	return c
}

// theModel gives the model that a command is about.
func (a *app) theModel(ctx context.Context) (string, error) {
	if name := cmp.Or(a.model, os.Getenv("PERENNIAL_MODEL")); name != "" {
		return name, nil
	}
	var models list[struct {
		ID string `json:"id"`
	}]
	if err := a.client().Get(ctx, "/v1/models", &models); err != nil {
		return "", err
	}
	if len(models.Items) != 1 {
		return "", errs.New(errs.Invalid, "there are %d models", len(models.Items)).At("--model").Mend("name one with --model")
	}
	return models.Items[0].ID, nil
}

// show prints v as JSON when asked to, and otherwise what text writes.
func (a *app) show(cmd *cobra.Command, v any, text func(w io.Writer)) error {
	out := cmd.OutOrStdout()
	if a.json {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	text(out)
	return nil
}

// grid prints rows in aligned columns.
func grid(w io.Writer, header string, rows [][]string) {
	if len(rows) == 0 {
		fmt.Fprintln(w, "none yet")
		return
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, strings.ReplaceAll(header, " ", "\t"))
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	_ = t.Flush() // the terminal is gone
}

func short(digest string) string {
	hex := strings.TrimPrefix(digest, "sha256:")
	return hex[:min(12, len(hex))]
}

// exactly is cobra.ExactArgs with an error that says what is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return errs.New(errs.Invalid, "%s takes %s", cmd.CommandPath(), arguments(names)).
				Mend("see %s --help", cmd.CommandPath())
		}
		for i, name := range names {
			if strings.Trim(args[i], " ./") == "" && name != "FOLDER" {
				return errs.New(errs.Invalid, "%q is no %s", args[i], name).Mend("see %s --help", cmd.CommandPath())
			}
		}
		return nil
	}
}

func arguments(names []string) string {
	switch len(names) {
	case 0:
		return "no arguments"
	case 1:
		return "one argument: " + names[0]
	}
	return fmt.Sprintf("%d arguments: %s", len(names), strings.Join(names, " "))
}

// atMostOne is for a command that lists things, or shows the one that is named.
func atMostOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return exactly(name)(cmd, args)
	}
}

// group makes a command that only holds others.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(commands...)
	return cmd
}

// because adds the flag of a command whose reason is recorded, and refuses to run it without one.
func because(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "why (needed: it is recorded)")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if strings.TrimSpace(*reason) == "" {
			return errs.New(errs.Invalid, "no reason given").At("--reason").Mend("say why with --reason \"…\": it is recorded")
		}
		return nil
	}
}

// versionNumber reads the number of a version.
func versionNumber(text, see string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, errs.New(errs.Invalid, "%q is no version number", text).Mend("see: perennial %s", see)
	}
	return n, nil
}
