package aslcli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/asl/conformance"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

func verifyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify RECORDED.json",
		Short: "Hold the interpreter to executions recorded on AWS",
		Long:  "Prints each difference and, last, the counts. Exit status: 0 none, 1 any difference, 2 bad use.",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := conformance.Load(args[0])
		if err != nil {
			return badUse("%v", err)
		}
		return verify(cmd, f)
	}
	return use(c, cobra.ExactArgs(1))
}

func verify(cmd *cobra.Command, f conformance.File) error {
	pool := jsonata.NewPool(jsonata.Limits{})
	outcomes, histories := 0, 0
	for _, c := range f.Cases {
		ours, err := c.Replay(cmd.Context(), pool)
		r := conformance.Compare(c, ours)
		if err != nil {
			r.Outcome = []string{err.Error()}
			r.History = r.Outcome
		}
		outcomes += none(cmd.OutOrStdout(), r.Name, "outcome", r.Outcome)
		histories += none(cmd.OutOrStdout(), r.Name, "history", r.History)
	}
	n := len(f.Cases)
	fmt.Fprintf(cmd.OutOrStdout(), "%d of %d outcomes, %d of %d histories\n", outcomes, n, histories, n)
	if outcomes < n || histories < n {
		return &ExitError{Code: ExitDifference}
	}
	return nil
}

// none prints differences and gives 1 when there are none.
func none(out io.Writer, name, what string, differences []string) int {
	for _, d := range differences {
		fmt.Fprintf(out, "%s: %s: %s\n", name, what, d)
	}
	if len(differences) > 0 {
		return 0
	}
	return 1
}
