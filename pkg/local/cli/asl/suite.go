package aslcli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata/suite"
)

func suiteCommand() *cobra.Command {
	var limit time.Duration
	c := &cobra.Command{
		Use:   "jsonata-suite FOLDER",
		Short: "Run the official JSONata test suite (its folder test/test-suite) through the evaluator",
		Long:  "Prints each case that does not pass and, last, the counts. Exit status: 0 all pass, 1 some do not, 2 bad use.",
	}
	c.Flags().DurationVar(&limit, "limit", 2*time.Minute, "time for one case; some work on millions of items")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := suite.Run(args[0], jsonata.NewPool(jsonata.Limits{Time: limit, Memory: 4 << 30}))
		if err != nil {
			return badUse("%v", err)
		}
		for _, f := range r.Failed {
			fmt.Fprintln(cmd.OutOrStdout(), f)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d of %d cases\n", r.Passed, r.Total)
		if r.Passed < r.Total {
			return &ExitError{Code: ExitDifference}
		}
		return nil
	}
	return use(c, cobra.ExactArgs(1))
}
