package command_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/command"
)

// every gives all commands of the tree but those that cobra adds.
func every(root *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{root}
	for _, c := range root.Commands() {
		if c.Name() != "help" && c.Name() != "completion" {
			all = append(all, every(c)...)
		}
	}
	return all
}

// words takes a command line apart as a shell does.
func words(line string) []string {
	out := []string{}
	for _, w := range regexp.MustCompile(`"[^"]*"|'[^']*'|[^ ]+`).FindAllString(line, -1) {
		out = append(out, strings.Trim(w, `"'`))
	}
	return out
}

// Every command and every command of a command shows in its help how it is called, and the example works as it stands.
func TestNew_EveryCommandShowsExamplesThatParse(t *testing.T) {
	all := every(command.New("test"))
	require.Greater(t, len(all), 50)
	for _, shown := range all {
		t.Run(shown.CommandPath(), func(t *testing.T) {
			require.NotEmpty(t, shown.Short)
			require.NotEmpty(t, shown.Example)
			for line := range strings.Lines(shown.Example) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " > ")
				require.True(t, strings.HasPrefix(line, "perennial "), line)
				parses(t, shown, words(line)[1:])
			}
		})
	}
}

// parses holds a command line to the flags and arguments of the command that it is an example of.
func parses(t *testing.T, shown *cobra.Command, args []string) {
	t.Helper()
	cmd, rest, err := command.New("test").Find(args)
	require.NoError(t, err, args)
	require.True(t, strings.HasPrefix(cmd.CommandPath(), shown.CommandPath()), "%q is an example of %s", args, cmd.CommandPath())
	require.True(t, cmd.Runnable(), args)
	require.NoError(t, cmd.ParseFlags(rest), args)
	require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), args)
	require.NoError(t, cmd.ValidateRequiredFlags(), args)
	if cmd.PreRunE != nil {
		require.NoError(t, cmd.PreRunE(cmd, cmd.Flags().Args()), args)
	}
}

func TestMain_HelpShowsTheExamples(t *testing.T) {
	for _, args := range []string{"data add", "hold release", "asl lint", "rules next", "benchmark lock", "up"} {
		code, out, _ := call(t, append(strings.Split(args, " "), "--help")...)
		require.Equal(t, 0, code, out)
		require.Contains(t, out, "Examples:\n  perennial "+args)
	}
}
