// Package command is bin/perennial: the platform on one machine, its demo, the clients of the API, and
// tools that need no platform.
package command

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/cli"
	aslcli "github.com/perennial-llm/perennial/pkg/local/cli/asl"
	"github.com/perennial-llm/perennial/pkg/local/cli/gatecli"
)

// New gives the root command.
func New(version string) *cobra.Command {
	root := &cobra.Command{Use: "perennial", Short: "keeps your own language model current", Version: version,
		SilenceUsage: true, SilenceErrors: true,
		Long: "Perennial keeps a company's own language model current: it checks new data, trains without\n" +
			"forgetting, judges old against new, asks a person, moves traffic step by step and rolls back.\n\n" +
			"Start with: perennial demo, or perennial up"}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return errs.New(errs.Invalid, "%w", err).Mend("see %s --help", cmd.CommandPath())
	})
	root.Args = cobra.ArbitraryArgs
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return errs.New(errs.Invalid, "unknown command %q", args[0]).Mend("see perennial --help")
	}
	groups := []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"run", "Run it here:", []*cobra.Command{up(version), demonstrate(version)}},
		{"use", "Use a running platform:", cli.Commands(root)},
		{"tools", "Tools that need no platform:", tools()},
	}
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	return root
}

func tools() []*cobra.Command {
	return append([]*cobra.Command{gatecli.Gate(), gatecli.Benchmark(), gatecli.Canary()}, aslcli.Command(), aslcli.RulesCommand())
}

// Main runs the command line and gives the exit code.
func Main(version string, args []string, out, problems io.Writer) int {
	root := New(version)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(problems)
	ctx, stop := interruptible()
	defer stop()
	err := root.ExecuteContext(ctx)
	var said *gatecli.Exit
	if err != nil && ctx.Err() == nil && err.Error() != "" && !errors.As(err, &said) {
		fmt.Fprintln(problems, "perennial:", err)
	}
	return cli.ExitCode(err)
}

// folder gives the first path that exists, or the first.
func folder(paths ...string) string {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return paths[0]
}
