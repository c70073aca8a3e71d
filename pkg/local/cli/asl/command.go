// Package aslcli holds the commands that try state machines, event patterns and schedules offline:
// `asl lint|run|verify` and `rules match|next`.
package aslcli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// ExitError is an error with the exit status that the process should end with. The message may be
// empty when the command has already said everything.
type ExitError struct {
	Code    int
	Message string
}

// Error gives the message.
func (e *ExitError) Error() string { return e.Message }

// ExitCode gives the exit status.
func (e *ExitError) ExitCode() int { return e.Code }

// The exit statuses.
const (
	ExitDifference = 1 // findings or differences
	ExitUse        = 2 // bad use: arguments, files, definitions, patterns
	ExitNotDone    = 3 // the execution ended, but not SUCCEEDED
)

func badUse(format string, args ...any) error {
	return &ExitError{Code: ExitUse, Message: fmt.Sprintf(format, args...)}
}

// Command makes `asl`.
func Command() *cobra.Command {
	c := &cobra.Command{Use: "asl", Short: "Lint, run and verify state machines offline"}
	c.AddCommand(lintCommand(), runCommand(), verifyCommand(), suiteCommand())
	return c
}

// argument gives a value as it is, or the content of FILE for "@FILE".
func argument(value string) ([]byte, error) {
	if !strings.HasPrefix(value, "@") {
		return []byte(value), nil
	}
	raw, err := os.ReadFile(value[1:])
	if err != nil {
		return nil, badUse("%v", plain(err))
	}
	return raw, nil
}

// plain takes the operation out of a path error: "x.json: no such file or directory".
func plain(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}

// use makes wrong numbers of arguments and unknown flags end with the status for bad use.
func use(c *cobra.Command, args cobra.PositionalArgs) *cobra.Command {
	c.SilenceUsage = true
	c.SilenceErrors = true
	c.Args = func(cmd *cobra.Command, given []string) error {
		if err := args(cmd, given); err != nil {
			return badUse("%v\nusage: %s", err, cmd.UseLine())
		}
		return nil
	}
	c.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return badUse("%v\nusage: %s", err, cmd.UseLine())
	})
	return c
}
