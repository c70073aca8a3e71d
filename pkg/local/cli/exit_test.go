package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/cli"
)

// Programs act on exit codes: each code of an error has one.
func TestExitCode(t *testing.T) {
	for code, want := range map[errs.Code]int{
		errs.Invalid: 2, errs.NotFound: 3, errs.Unauthenticated: 4, errs.Forbidden: 4,
		errs.Conflict: 5, errs.Precondition: 5, errs.Held: 5, errs.GateFailed: 5, errs.Unhealthy: 5, errs.Exhausted: 5,
		errs.Unavailable: 1, errs.Internal: 1,
	} {
		require.Equal(t, want, cli.ExitCode(fmt.Errorf("wrapped: %w", errs.New(code, "x"))), code)
	}
	require.Equal(t, 0, cli.ExitCode(nil))
	require.Equal(t, 1, cli.ExitCode(errors.New("anything else")))
	require.Equal(t, 1, cli.ExitCode(context.DeadlineExceeded))
	failed := exec.Command("sh", "-c", "exit 4").Run()
	require.Equal(t, 1, cli.ExitCode(fmt.Errorf("python: %w", failed)), "a failed child's code is not ours")
}
