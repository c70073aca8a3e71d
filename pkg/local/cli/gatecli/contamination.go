package gatecli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// maxRow bounds a training row.
const maxRow = 64 << 20

type contaminationFlags struct {
	benchmarks []string
	json, code bool
}

func contaminationCommand() *cobra.Command {
	var f contaminationFlags
	cmd := quiet(&cobra.Command{
		Use:   "contamination --benchmark FOLDER DATA.jsonl…",
		Short: "Find benchmark items in training data",
		Long: `Find benchmark items in training data: rows of JSON Lines with messages, prompt and completion, or text.

The items found are printed one a line as benchmark/item, the form that gate --contaminated reads.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.OutOrStdout(), cmd.ErrOrStderr(), args)
		},
	})
	flags := cmd.Flags()
	flags.StringSliceVar(&f.benchmarks, "benchmark", nil, "folder with lock.json and items.jsonl; may be given several times")
	flags.BoolVar(&f.json, "json", false, "print the places as JSON")
	flags.BoolVar(&f.code, "exit-code", false, "exit with 3 when items were found")
	return cmd
}

// place is one item found in one row.
type place struct {
	Item string `json:"item"`
	File string `json:"file"`
	Line int    `json:"line"`
}

func (f contaminationFlags) run(out, errOut io.Writer, files []string) error {
	ix, err := f.index()
	if err != nil {
		return err
	}
	var places []place
	for _, path := range files {
		found, err := scanFile(ix, path)
		if err != nil {
			return err
		}
		places = append(places, found...)
	}
	if err := f.print(out, errOut, ix, places); err != nil {
		return err
	}
	if f.code && len(places) > 0 {
		return exit(ExitInconclusive)
	}
	return nil
}

func (f contaminationFlags) index() (*benchmark.Index, error) {
	if len(f.benchmarks) == 0 {
		return nil, errs.New(errs.Invalid, "no --benchmark folder").Mend("name a folder with --benchmark FOLDER")
	}
	var versions []benchmark.Version
	for _, folder := range f.benchmarks {
		v, err := benchmark.ReadFolder(folder)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		versions = append(versions, v)
	}
	return benchmark.NewIndex(versions...), nil
}

func scanFile(ix *benchmark.Index, path string) ([]place, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var places []place
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 1<<20), maxRow)
	line := 0
	for scanner.Scan() {
		line++
		text, err := rowText(bytes.TrimPrefix(scanner.Bytes(), []byte("\xef\xbb\xbf")))
		if err != nil {
			return nil, errs.New(errs.Invalid, "not a training row: %w", err).At(fmt.Sprintf("%s:%d", path, line)).
				Mend("write messages, prompt and completion, or text")
		}
		ix.Matches(text, func(item string) bool {
			places = append(places, place{item, path, line})
			return true
		})
	}
	if err := scanner.Err(); err != nil {
		return nil, errs.New(errs.Invalid, "the file cannot be read: %w", err).At(fmt.Sprintf("%s:%d", path, line+1))
	}
	return places, nil
}

// rowText joins what a model would learn from a row; a blank line has no text.
func rowText(line []byte) (string, error) {
	if len(strings.TrimSpace(string(line))) == 0 {
		return "", nil
	}
	var row struct {
		Messages                 []struct{ Content string }
		Prompt, Completion, Text string
	}
	if err := json.Unmarshal(line, &row); err != nil {
		return "", rowSyntax(err)
	}
	var parts []string
	for _, m := range row.Messages {
		parts = append(parts, m.Content)
	}
	text := strings.Join(append(parts, row.Prompt, row.Completion, row.Text), "\n")
	if strings.TrimSpace(text) == "" {
		return "", errors.New("the row has no text")
	}
	return text, nil
}

// rowSyntax says in words of JSON what encoding/json says in words of Go.
func rowSyntax(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	if wrong.Field == "" {
		return fmt.Errorf("this is a JSON %s", wrong.Value)
	}
	return fmt.Errorf("%s cannot be a JSON %s", strings.ToLower(wrong.Field), wrong.Value)
}

func (f contaminationFlags) print(out, errOut io.Writer, ix *benchmark.Index, places []place) error {
	items := map[string]bool{}
	for _, p := range places {
		items[p.Item] = true
	}
	if f.json {
		if places == nil {
			places = []place{}
		}
		return printJSON(out, map[string]any{"items": len(items), "of": ix.Items(), "share": float64(len(items)) / float64(max(1, ix.Items())), "places": places})
	}
	for _, item := range slices.Sorted(maps.Keys(items)) {
		fmt.Fprintln(out, item)
	}
	for _, p := range places {
		fmt.Fprintf(errOut, "%s:%d holds %s\n", p.File, p.Line, p.Item)
	}
	fmt.Fprintf(errOut, "%d of %d benchmark items occur in the training data\n", len(items), ix.Items())
	return nil
}
