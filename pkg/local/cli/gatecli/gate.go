package gatecli

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
)

type gateFlags struct {
	policy, incumbent, candidate, anchor string
	contaminated, html                   string
	benchmarks                           []string
	aaFloor                              float64
	digests                              gate.Digests
	json, printPolicy                    bool
}

// Gate is the command "gate": exit 0 PASS, 3 INCONCLUSIVE, 4 FAIL, 2 for input that cannot be judged.
func Gate() *cobra.Command {
	var f gateFlags
	cmd := quiet(&cobra.Command{
		Use:   "gate --incumbent A.jsonl --candidate B.jsonl",
		Short: "Decide from per-item results whether a candidate may replace the incumbent",
		Long: `Decide from per-item results whether a candidate may replace the incumbent.

A result line is {"benchmark", "lock", "capability", "item", "cluster"?, "score": 0…1, "error"?,
"mustPass"?, "output"?, "latencyMs"?, "tokens"?}. Both files hold the same items under the same locks;
one whose name ends in .gz is unzipped.

Exit status: 0 PASS, 3 INCONCLUSIVE, 4 FAIL, 2 for input that cannot be judged.`,
		Example: `  perennial gate --incumbent old.jsonl --candidate new.jsonl
  perennial gate --print-policy > policy.json
  perennial gate --policy policy.json --incumbent old.jsonl --candidate new.jsonl --html report.html`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	})
	flags := cmd.Flags()
	flags.StringVar(&f.policy, "policy", "default", "policy file, or default or one-machine")
	flags.StringVar(&f.incumbent, "incumbent", "", "results of the model that serves now")
	flags.StringVar(&f.candidate, "candidate", "", "results of the model that may replace it")
	flags.StringVar(&f.anchor, "anchor", "", "results of the pinned version")
	flags.StringVar(&f.contaminated, "contaminated", "", "file with one benchmark/item per line, found in training data")
	flags.StringArrayVar(&f.benchmarks, "benchmark", nil, "a benchmark's folder, of either lock: names what differs between unequal locks")
	flags.Float64Var(&f.aaFloor, "aa-floor", 0, "share of items that flip down when the incumbent is run twice")
	flags.StringVar(&f.digests.Incumbent, "incumbent-digest", "", "digest of the incumbent, for the report")
	flags.StringVar(&f.digests.Candidate, "candidate-digest", "", "digest of the candidate, for the report")
	flags.StringVar(&f.html, "html", "", "write the report as a page to this file")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	flags.BoolVar(&f.printPolicy, "print-policy", false, "print the policy and stop")
	return cmd
}

func (f gateFlags) run(out, errOut io.Writer) error {
	policy, err := loadPolicy(f.policy)
	if err != nil {
		return f.refuse(out, errOut, err)
	}
	if f.printPolicy {
		return printJSON(out, policy)
	}
	report, err := f.decide(policy)
	if err != nil {
		return f.refuse(out, errOut, err)
	}
	if err := f.write(out, report); err != nil {
		return err
	}
	return exit(map[gate.Verdict]int{gate.Pass: ExitPass, gate.Inconclusive: ExitInconclusive, gate.Fail: ExitFail}[report.Verdict])
}

func loadPolicy(name string) (gate.Policy, error) {
	switch name {
	case "default":
		return gate.DefaultPolicy(), nil
	case "one-machine":
		return gate.OneMachinePolicy(), nil
	}
	content, err := readFile(name)
	if err != nil {
		return gate.Policy{}, err
	}
	policy, err := gate.ParsePolicy(content)
	if err != nil {
		return policy, fmt.Errorf("%s: %w", name, err)
	}
	return policy, nil
}

// softMemory makes the collector work harder rather than let a comparison of a million items outgrow a small CI
// machine; larger inputs still get what they need. Until then growth makes it work seldom, since little of what is
// read is soon forgotten.
const (
	softMemory = 400 << 20
	growth     = 400
)

func (f gateFlags) decide(policy gate.Policy) (gate.Report, error) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(softMemory))
	defer debug.SetGCPercent(debug.SetGCPercent(growth))
	in, err := f.input()
	if err != nil {
		return gate.Report{}, err
	}
	return gate.Decide(policy, in)
}

func (f gateFlags) input() (in gate.Input, err error) {
	if !(f.aaFloor >= 0 && f.aaFloor <= 1) {
		return in, errs.New(errs.Invalid, "%v is not a share", f.aaFloor).At("--aa-floor").Mend("use a share from 0 to 1, such as 0.01")
	}
	in.Extras.AAFloor, in.Digests = f.aaFloor, f.digests
	if in.Incumbent, err = f.results("incumbent", f.incumbent); err != nil {
		return in, err
	}
	if in.Candidate, err = f.results("candidate", f.candidate); err != nil {
		return in, err
	}
	if f.anchor != "" {
		if in.Anchor, err = f.results("anchor", f.anchor); err != nil {
			return in, err
		}
	}
	if f.contaminated != "" {
		if in.Contaminated, err = readSet(f.contaminated); err != nil {
			return in, err
		}
	}
	in.Parts, err = readParts(f.benchmarks)
	return in, err
}

// readParts reads what the locks of folders are made of.
func readParts(folders []string) (func(name, lock string) map[string]string, error) {
	parts := map[string]map[string]string{}
	for _, folder := range folders {
		v, err := benchmark.ReadFolder(folder)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		parts[v.Lock()] = v.Parts()
	}
	return func(_, lock string) map[string]string { return parts[lock] }, nil
}

// results opens a result file, so that a missing one is said before anything is read.
func (f gateFlags) results(flag, path string) (gate.Results, error) {
	if path == "" {
		return nil, errs.New(errs.Invalid, "no --%s file", flag).Mend("name the file with --%s FILE", flag)
	}
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return gate.Lines(path, func() (io.ReadCloser, error) { return openFile(path) }), nil
}

// refuse prints every problem and ends with exit status 2.
func (f gateFlags) refuse(out, errOut io.Writer, err error) error {
	problems := gate.ProblemsOf(err)
	if problems == nil {
		problems = []gate.Problem{problemOf(err)}
	}
	for _, p := range problems {
		fmt.Fprintln(errOut, p.Error())
	}
	if f.json {
		if err := printJSON(out, map[string]any{"error": "the input cannot be judged", "problems": problems}); err != nil {
			return err
		}
	}
	return exit(ExitUnjudgeable)
}

func (f gateFlags) write(out io.Writer, report gate.Report) error {
	if f.html != "" {
		page, err := report.HTML()
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.html, page, 0o644); err != nil {
			return errs.New(errs.Invalid, "the page cannot be written: %w", err).At(f.html).Mend("check the folder and its permissions")
		}
	}
	if f.json {
		return printReport(out, report)
	}
	return printTables(out, report)
}
