// Package gatecli holds the commands that judge models without a platform, in anyone's CI: gate, benchmark
// and canary. They read files, print tables or JSON, and answer by exit code.
package gatecli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Exit codes of the commands.
const (
	ExitPass         = 0
	ExitUnjudgeable  = 2 // the input cannot be judged; each problem was printed
	ExitInconclusive = 3
	ExitFail         = 4
)

// Exit is an outcome with an exit code whose words have been printed already. The main program ends with
// ExitCode and prints nothing more.
type Exit struct{ Code int }

// Error names the code.
func (e *Exit) Error() string { return fmt.Sprintf("exit status %d", e.Code) }

// ExitCode is what the process ends with.
func (e *Exit) ExitCode() int { return e.Code }

// unjudgeable is input that is wrong: the main program prints its words and ends with ExitUnjudgeable.
type unjudgeable struct{ error }

// ExitCode is what the process ends with.
func (unjudgeable) ExitCode() int { return ExitUnjudgeable }

// Unwrap gives the error itself.
func (u unjudgeable) Unwrap() error { return u.error }

// ExitCode gives the process's exit code for an error of these commands: 0 for nil, 1 for faults that are not
// the input's.
func ExitCode(err error) int {
	var coded interface{ ExitCode() int }
	switch {
	case err == nil:
		return ExitPass
	case errors.As(err, &coded):
		return coded.ExitCode()
	}
	return 1
}

// quiet leaves the printing of errors to the main program and gives wrong input its exit code.
func quiet(cmd *cobra.Command) *cobra.Command {
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetFlagErrorFunc(wrongFlag)
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return withCode(run(cmd, args)) }
	}
	return cmd
}

func withCode(err error) error {
	switch errs.CodeOf(err) {
	case errs.Invalid, errs.NotFound, errs.Precondition:
		return unjudgeable{err}
	}
	return err
}

// wrongFlag gives flags that do not exist the exit code of wrong input.
func wrongFlag(cmd *cobra.Command, err error) error {
	return unjudgeable{errs.New(errs.Invalid, "%s", err).Mend("see %s --help", cmd.CommandPath())}
}

func exit(code int) error {
	if code == 0 {
		return nil
	}
	return &Exit{Code: code}
}

// printJSON writes v indented, for people who pipe it into other programs.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("print json: %w", err)
	}
	return nil
}

// openFile opens a file that the user named; the error says what to do.
func openFile(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, errs.New(errs.NotFound, "the file cannot be opened: %w", err).At(path).Mend("check the path")
	}
	return file, nil
}

func readFile(path string) ([]byte, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, errs.New(errs.Invalid, "the file cannot be read: %w", err).At(path)
	}
	return content, nil
}
