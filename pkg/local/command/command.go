// Package command is bin/perennial: the platform on one machine, its demo, the clients of the API, and
// tools that need no platform.
package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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
	complete(root)
	return root
}

// complete gives a command and those below it what all have alike: examples, and an answer to names that do not exist.
func complete(cmd *cobra.Command) {
	illustrate(cmd)
	if !cmd.Runnable() {
		cmd.Args, cmd.RunE = cobra.ArbitraryArgs, onlyHolds
	}
	for _, c := range cmd.Commands() {
		complete(c)
	}
}

// onlyHolds answers for a command that only holds others.
func onlyHolds(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return errs.New(errs.Invalid, "unknown command %q", cmd.CommandPath()+" "+args[0]).Mend("see %s --help", cmd.CommandPath())
}

// alone refuses arguments.
func alone(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return errs.New(errs.Invalid, "%s takes no arguments, not %q", cmd.CommandPath(), args[0]).Mend("see %s --help", cmd.CommandPath())
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
	if err != nil && ctx.Err() != nil {
		return interrupted
	}
	var said *gatecli.Exit
	if err != nil && err.Error() != "" && !errors.As(err, &said) {
		tell(problems, err, wantsJSON(root))
	}
	return cli.ExitCode(err)
}

// wantsJSON tells whether --json was given to a command.
func wantsJSON(cmd *cobra.Command) bool {
	yes, err := cmd.Root().PersistentFlags().GetBool("json")
	return yes && err == nil
}

// interrupted is the exit code of a command that Ctrl-C ended, as shells give it.
const interrupted = 130

// tell prints what went wrong; to who asked for JSON, as one JSON object on one line.
func tell(problems io.Writer, err error, asJSON bool) {
	if !asJSON {
		fmt.Fprintln(problems, "perennial:", err)
		return
	}
	said := map[string]string{"code": string(errs.CodeOf(err)), "message": err.Error()}
	if e, ok := err.(*errs.Error); ok {
		said = map[string]string{"code": string(e.Code), "message": e.Message, "where": e.Where, "hint": e.Hint}
	}
	maps.DeleteFunc(said, func(_, v string) bool { return v == "" })
	_ = json.NewEncoder(problems).Encode(map[string]any{"error": said}) // nobody listens
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
