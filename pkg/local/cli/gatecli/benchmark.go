package gatecli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// Benchmark is the command "benchmark" with lock, import, contamination and library.
func Benchmark() *cobra.Command {
	cmd := quiet(&cobra.Command{Use: "benchmark", Short: "Lock and import test suites, list standard ones, and find their items in training data",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }})
	cmd.AddCommand(lockCommand(), importCommand(), contaminationCommand(), libraryCommand())
	return cmd
}

func lockCommand() *cobra.Command {
	var write, asJSON bool
	cmd := quiet(&cobra.Command{
		Use:   "lock FOLDER [FOLDER]",
		Short: "Print a benchmark's lock; with two folders, say whether their results may be compared",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if write {
				return relock(cmd.OutOrStdout(), args)
			}
			return showLocks(cmd.OutOrStdout(), args, asJSON)
		},
	})
	cmd.Flags().BoolVar(&write, "write", false, "write the folder anew in canonical form, with the lock that its items have now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print lock.json")
	return cmd
}

func showLocks(out io.Writer, folders []string, asJSON bool) error {
	var versions []benchmark.Version
	for _, folder := range folders {
		v, err := benchmark.ReadFolder(folder)
		if err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		versions = append(versions, v)
		if err := showLock(out, v, asJSON); err != nil {
			return err
		}
	}
	if len(versions) == 2 {
		return benchmark.Comparable(versions[0], versions[1])
	}
	return nil
}

func showLock(out io.Writer, v benchmark.Version, asJSON bool) error {
	if asJSON {
		return printJSON(out, v.Header())
	}
	_, err := fmt.Fprintf(out, "%s  %s  %d items\n", v.Lock(), v.Name, len(v.Items))
	return err
}

// relock reads a folder whatever lock it claims.
func relock(out io.Writer, folders []string) error {
	for _, folder := range folders {
		v, err := benchmark.ReadUnlocked(folder)
		if err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		if filepath.Base(filepath.Clean(folder)) != v.Name {
			return errs.New(errs.Invalid, "the folder is not named like its benchmark %s", v.Name).At(folder).Mend("rename one of them")
		}
		if err := v.WriteFolder(filepath.Dir(filepath.Clean(folder))); err != nil {
			return err
		}
		if err := showLock(out, v, false); err != nil {
			return err
		}
	}
	return nil
}

type importFlags struct {
	from, name, out, scorer, data string
	capability, source, licence   string
	chat                          bool
	maxTokens                     int
}

func importCommand() *cobra.Command {
	var f importFlags
	cmd := quiet(&cobra.Command{
		Use:   "import FILE --name NAME --out FOLDER",
		Short: "Make a locked benchmark of a JSONL, CSV or declarative lm-eval YAML file",
		Long: `Make a locked benchmark of a JSONL, CSV or declarative lm-eval YAML file.

Every wrong line is named; nothing is written unless all are good. An imported file never runs code.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.effective(cmd, args[0]); err != nil {
				return err
			}
			return f.run(cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0])
		},
	})
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "jsonl, csv or lm-eval; by the file's ending when left out")
	flags.StringVar(&f.name, "name", "", "the benchmark's name; the task's for lm-eval")
	flags.StringVar(&f.out, "out", "benchmarks", "folder under which NAME/ is written")
	flags.StringVar(&f.scorer, "scorer", "exact", "scorer: "+strings.Join(benchmark.Kinds, ", "))
	flags.StringVar(&f.data, "data", "", "data file of an lm-eval task, instead of the one it names")
	flags.StringVar(&f.capability, "capability", "general", "capability of items that name none")
	flags.StringVar(&f.source, "source", "", "where items come from that do not say so")
	flags.StringVar(&f.licence, "licence", "", "licence of items that name none")
	flags.BoolVar(&f.chat, "chat", true, "ask through the model's chat template")
	flags.IntVar(&f.maxTokens, "max-tokens", 64, "longest answer")
	return cmd
}

// effective refuses flags that would have no effect on a file of this form, and a scorer that is none.
func (f importFlags) effective(cmd *cobra.Command, path string) error {
	without, why := []string{"data"}, "only an lm-eval task has its data in another file"
	if f.kind(path) == "lm-eval" {
		without, why = []string{"scorer", "max-tokens"}, "the task says so itself, in metric_list and generation_kwargs"
	}
	for _, name := range without {
		if cmd.Flags().Changed(name) {
			return errs.New(errs.Invalid, "--%s has no effect here: %s", name, why).At("--" + name).Mend("leave it out")
		}
	}
	return benchmark.Scorer{Kind: f.scorer}.Validate()
}

func (f importFlags) run(out, errOut io.Writer, path string) error {
	if f.maxTokens < 1 {
		return errs.New(errs.Invalid, "an answer of %d tokens says nothing", f.maxTokens).At("--max-tokens").Mend("use 1 or more")
	}
	v, problems, err := f.read(path)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(errOut, p.Error())
	}
	if len(problems) > 0 {
		return exit(ExitUnjudgeable)
	}
	if err := v.Validate(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := v.WriteFolder(f.out); err != nil {
		return errs.New(errs.Invalid, "the benchmark cannot be written: %w", err).At(f.out).Mend("check the folder and its permissions")
	}
	return showLock(out, v, false)
}

func (f importFlags) read(path string) (benchmark.Version, []*errs.Error, error) {
	file, err := openFile(path)
	if err != nil {
		return benchmark.Version{}, nil, err
	}
	defer file.Close()
	v := benchmark.Version{
		Name: f.name, Scorer: benchmark.Scorer{Kind: f.scorer}, Prompt: benchmark.Prompt{Chat: f.chat},
		Decoding: benchmark.Decoding{MaxTokens: f.maxTokens}, Source: f.source, Licence: f.licence,
	}
	defaults := benchmark.Defaults{Capability: f.capability, Source: f.source, Licence: f.licence, Scorer: &v.Scorer}
	var problems []*errs.Error
	switch f.kind(path) {
	case "jsonl":
		v.Items, problems = benchmark.ReadJSONL(path, file, defaults)
	case "csv":
		v.Items, problems = benchmark.ReadCSV(path, file, defaults)
	case "lm-eval":
		v, problems = benchmark.ReadLMEval(path, file, f.openData(path), defaults)
		v.Prompt.Chat = f.chat
		if f.name != "" {
			v.Name = f.name
		}
	default:
		return v, nil, errs.New(errs.Invalid, "the form of the file is not known").At(path).Mend("name it with --from jsonl, csv or lm-eval")
	}
	return v, problems, nil
}

func (f importFlags) kind(path string) string {
	if f.from != "" {
		return f.from
	}
	ending := filepath.Ext(strings.TrimSuffix(strings.ToLower(path), zipped))
	return map[string]string{".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".yaml": "lm-eval", ".yml": "lm-eval"}[ending]
}

// openData opens a task's data: the file given, or the one it names beside the task file and nowhere else.
func (f importFlags) openData(task string) func(string) (io.ReadCloser, error) {
	return func(named string) (io.ReadCloser, error) {
		if f.data != "" {
			return openFile(f.data)
		}
		if named == "" {
			return nil, fmt.Errorf("the task names a data set of a hub, not a file")
		}
		if !filepath.IsLocal(named) {
			return nil, fmt.Errorf("%s lies outside the task's folder", named)
		}
		return openFile(filepath.Join(filepath.Dir(task), named))
	}
}
