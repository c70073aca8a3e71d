package aslcli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/asl"
)

func lintCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "lint FILE…",
		Short: "Report what AWS would refuse and what we do not want",
		Long:  "Prints one finding a line: FILE:PLACE: SEVERITY CODE: MESSAGE. Exit status: 0 none, 1 any finding, 2 bad use.",
	}
	c.RunE = func(cmd *cobra.Command, files []string) error {
		findings := 0
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				return badUse("%v", plain(err))
			}
			for _, d := range asl.Lint(raw, asl.LintOptions{}) {
				findings++
				fmt.Fprintf(cmd.OutOrStdout(), "%s:%s: %s %s: %s\n", file, d.Location, d.Severity, d.Code, d.Message)
			}
		}
		if findings > 0 {
			return &ExitError{Code: ExitDifference}
		}
		return nil
	}
	return use(c, cobra.MinimumNArgs(1))
}
