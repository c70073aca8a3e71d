package gatecli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/training/benchmarks"
)

func libraryCommand() *cobra.Command {
	var asJSON bool
	cmd := quiet(&cobra.Command{
		Use:   "library",
		Short: "List the industry's test suites that are ready to run, with licence, source, size and metric",
		Long: `List the industry's test suites that are ready to run, with licence, source, size and metric.

They are configurations for lm-evaluation-harness; the data stay with their publishers.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return showLibrary(cmd.OutOrStdout(), asJSON) },
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the configurations as JSON")
	return cmd
}

func showLibrary(out io.Writer, asJSON bool) error {
	content, err := benchmarks.Files.ReadFile("library.json")
	if err != nil {
		return fmt.Errorf("read library: %w", err)
	}
	library, err := benchmark.ParseLibrary(content)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, library)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tTASK\tCAPABILITY\tMETRIC\tITEMS\tSHOTS\tSOURCE\tLICENCE\tSTATED IN")
	for _, e := range library.Benchmarks {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", e.Name, e.Task, e.Capability, e.Metric, e.Items, e.FewShot, e.Source, e.Licence, e.LicenceFrom)
	}
	return table.Flush()
}
