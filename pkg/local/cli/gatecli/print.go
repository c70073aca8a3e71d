package gatecli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
)

// printReport prints the report with its own digest, which is over the rest.
func printReport(w io.Writer, report gate.Report) error {
	return printJSON(w, struct {
		gate.Report
		Digest string `json:"digest"`
	}{report, report.Digest()})
}

func printTables(w io.Writer, r gate.Report) error {
	fmt.Fprintf(w, "%s  (%s)\n%s\n\n", r.Verdict, r.DecidingRule, r.Summary)
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "POINTS OF 100\tOLD\tNEW\tCHANGE\t95% INTERVAL\tMARGIN\tITEMS\tCOULD SEE\tFORGOTTEN/GAINED\tVERDICT")
	for _, c := range r.Capabilities {
		printComparison(table, c)
	}
	printComparison(table, r.Pooled)
	for _, c := range append(append([]gate.Comparison{}, r.Targets...), r.Benchmarks...) {
		printComparison(table, c)
	}
	if r.Anchor != nil {
		printComparison(table, *r.Anchor)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	fmt.Fprintln(w)
	return printRules(w, r)
}

func printComparison(w io.Writer, c gate.Comparison) {
	margin := "–"
	if c.Margin > 0 {
		margin = fmt.Sprintf("%.1f", 100*c.Margin)
	}
	fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%+.1f\t%+.1f … %+.1f\t%s\t%d\t%.1f\t%d/%d\t%s\n", c.Name, 100*c.OldMean, 100*c.NewMean,
		100*c.Delta, 100*c.CI95.Low, 100*c.CI95.High, margin, c.N, 100*c.MDE, c.Forgotten, c.Gained, c.Verdict)
}

func printRules(w io.Writer, r gate.Report) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, rule := range r.Rules {
		verdict := string(rule.Verdict)
		if !rule.Applied {
			verdict = "–"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", rule.Name, verdict, rule.Reason)
	}
	fmt.Fprintf(table, "report\t\t%s\npolicy\t\t%s\n", r.Digest(), r.Digests.Policy)
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print rules: %w", err)
	}
	return nil
}

// problemOf turns any error into one with its place apart.
func problemOf(err error) gate.Problem {
	var e *errs.Error
	if errors.As(err, &e) {
		where := e.Where
		if prefix, _, found := strings.Cut(err.Error(), ": "+e.Error()); found {
			where = strings.TrimSuffix(prefix+":"+where, ":")
		}
		return gate.Problem{Where: where, Message: e.Message, Hint: e.Hint}
	}
	return gate.Problem{Message: err.Error()}
}

// readSet reads one name per line.
func readSet(path string) (map[string]bool, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	set := map[string]bool{}
	scanner := bufio.NewScanner(file)
	for line := 1; scanner.Scan(); line++ {
		name := strings.TrimSpace(strings.TrimPrefix(scanner.Text(), "\ufeff"))
		if name != "" && !strings.Contains(name, "/") {
			return nil, errs.New(errs.Invalid, "%q is not a benchmark/item", name).At(fmt.Sprintf("%s:%d", path, line)).
				Mend("write what benchmark contamination prints")
		}
		if name != "" {
			set[name] = true
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, errs.New(errs.Invalid, "the file cannot be read: %w", err).At(path)
	}
	return set, nil
}
