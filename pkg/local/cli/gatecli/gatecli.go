// Package gatecli holds the commands that judge models without a platform, in anyone's CI: gate, benchmark
// and canary. They read files, print tables or JSON, and answer by exit code.
package gatecli

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, list []string) error {
			if err := args(cmd, list); err != nil {
				return wrongFlag(cmd, err)
			}
			return nil
		}
	}
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

// openFile opens a file that the user named, unzipping one whose name ends in .gz; the error says what to do.
func openFile(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, errs.New(errs.NotFound, "the file cannot be opened: %w", err).At(path).Mend("check the path")
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(errs.New(errs.Invalid, "this is a folder").At(path).Mend("name a file"), file.Close())
	}
	if !strings.HasSuffix(path, zipped) {
		return file, nil
	}
	return unzip(path, file)
}

// zipped ends the names of files that are unzipped while they are read.
const zipped = ".gz"

func unzip(path string, file *os.File) (io.ReadCloser, error) {
	reader, err := gzip.NewReader(file)
	if err != nil {
		return nil, errors.Join(notZipped(path, "not a gzip file", err), file.Close())
	}
	return unzipped{reader, file, path}, nil
}

func notZipped(path, message string, err error) error {
	return errs.New(errs.Invalid, "%s: %w", message, err).At(path).Mend("pack it again, or name it without .gz")
}

// unzipped reads a zipped file and says where it breaks off.
type unzipped struct {
	*gzip.Reader
	file *os.File
	path string
}

func (u unzipped) Read(b []byte) (int, error) {
	n, err := u.Reader.Read(b)
	if err != nil && err != io.EOF {
		err = notZipped(u.path, "the gzip file breaks off", err)
	}
	return n, err
}

// Name is the path, as an os.File gives it.
func (u unzipped) Name() string { return u.path }

func (u unzipped) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }

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
