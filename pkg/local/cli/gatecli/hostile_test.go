package gatecli_test

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/cli/gatecli"
)

const (
	csvText  = "id,input,target\n1,q,t\n"
	requests = "1 0\n2 1\n"
	scored   = `{"benchmark":"b","lock":"l","capability":"k","item":"i","score":1}` + "\n"
)

func zip(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.String()
}

func TestCommands_RefuseWhatTheyCannotRead(t *testing.T) {
	dir := t.TempDir()
	code, _, errOut := call(gatecli.Benchmark(), "import", file(t, "x.csv", csvText), "--name", "x", "--out", dir)
	require.Zero(t, code, errOut)
	folder, ok, good := filepath.Join(dir, "x"), file(t, "ok.jsonl", scored), file(t, "good.txt", requests)
	contamination := []string{"contamination", "--benchmark", folder}
	for name, c := range map[string]struct {
		cmd  *cobra.Command
		args []string
		want string
	}{
		"no argument":            {gatecli.Benchmark(), []string{"import"}, "accepts 1 arg"},
		"an unknown subcommand":  {gatecli.Benchmark(), []string{"lok"}, `unknown command "lok"`},
		"an argument too many":   {gatecli.Gate(), []string{"x"}, `unknown command "x"`},
		"no folder to lock":      {gatecli.Benchmark(), []string{"lock"}, "accepts between 1 and 2"},
		"no room for an answer":  {gatecli.Benchmark(), []string{"import", ok, "--max-tokens", "0"}, "--max-tokens: "},
		"a folder for a file":    {gatecli.Benchmark(), []string{"import", dir, "--from", "csv"}, "this is a folder"},
		"a file for a folder":    {gatecli.Benchmark(), []string{"import", file(t, "x.csv", csvText), "--name", "x", "--out", ok}, "the benchmark cannot be written"},
		"items of no file":       {gatecli.Benchmark(), []string{"import", file(t, "e.jsonl", ""), "--name", "x"}, "e.jsonl: benchmark x has no items"},
		"no requests at all":     {gatecli.Canary(), []string{"--baseline", file(t, "e.txt", ""), "--canary", good}, "e.txt: no requests in the file"},
		"no canary requests":     {gatecli.Canary(), []string{"--baseline", good, "--canary", file(t, "e.txt", "# none\n\n")}, "e.txt: no requests in the file"},
		"a scorer that is none":  {gatecli.Benchmark(), []string{"import", file(t, "s.jsonl", "{"), "--name", "x", "--scorer", "magic"}, `scorer kind "magic" is not known`},
		"a scorer for a task":    {gatecli.Benchmark(), []string{"import", file(t, "t.yaml", ""), "--scorer", "exact"}, "--scorer has no effect here: the task says so itself"},
		"a length for a task":    {gatecli.Benchmark(), []string{"import", ok, "--from", "lm-eval", "--max-tokens", "9"}, "--max-tokens has no effect here"},
		"data beside items":      {gatecli.Benchmark(), []string{"import", ok, "--name", "x", "--data", ok}, "--data has no effect here"},
		"an id twice":            {gatecli.Benchmark(), []string{"import", file(t, "d.csv", csvText+"1,q,t\n"), "--name", "x"}, `d.csv:3: the id "1" is used on line 2`},
		"a row without text":     {gatecli.Benchmark(), append(contamination, file(t, "r.jsonl", "{\"text\":\"q\"}\n{\"input\":\"q\"}\n")), "r.jsonl:2: not a training row: the row has no text"},
		"a text of another kind": {gatecli.Benchmark(), append(contamination, file(t, "r.jsonl", `{"text":5}`)), "text cannot be a JSON number"},
		"a row of another kind":  {gatecli.Benchmark(), append(contamination, file(t, "r.jsonl", `[1]`)), "this is a JSON array"},
		"a floor that is none":   {gatecli.Gate(), []string{"--incumbent", ok, "--candidate", ok, "--aa-floor", "NaN"}, "--aa-floor: NaN is not a share"},
		"a name without item":    {gatecli.Gate(), []string{"--incumbent", ok, "--candidate", ok, "--contaminated", file(t, "c.txt", "b/i\nb\n")}, `c.txt:2: "b" is not a benchmark/item`},
		"half a zipped file":     {gatecli.Gate(), []string{"--incumbent", ok, "--candidate", file(t, "h.jsonl.gz", zip(t, scored)[:30])}, "h.jsonl.gz: the gzip file breaks off"},
		"no zipped file":         {gatecli.Canary(), []string{"--baseline", good, "--canary", file(t, "n.gz", requests)}, "n.gz: not a gzip file"},
		"an alpha that is none":  {gatecli.Canary(), []string{"--baseline", good, "--canary", good, "--alpha", "NaN"}, "alpha NaN is not a chance"},
		"a ratio without end":    {gatecli.Canary(), []string{"--baseline", good, "--canary", good, "--min-ratio", "Inf"}, "a ratio of +Inf is no rise"},
		"a line without end":     {gatecli.Canary(), []string{"--baseline", good, "--canary", file(t, "l.txt", "1 0\n"+strings.Repeat("1", 1<<17))}, "l.txt:2: the line cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, words bytes.Buffer
			c.cmd.SetOut(&out)
			c.cmd.SetErr(&words)
			c.cmd.SetArgs(c.args)
			err := c.cmd.Execute()
			require.Equal(t, gatecli.ExitUnjudgeable, gatecli.ExitCode(err), err)
			require.Contains(t, words.String()+err.Error(), c.want)
		})
	}
}

func TestCommands_ReadZippedFiles(t *testing.T) {
	dir := t.TempDir()
	code, out, errOut := call(gatecli.Benchmark(), "import", file(t, "x.csv.gz", zip(t, csvText)), "--name", "x", "--out", dir)
	require.Zero(t, code, errOut)
	require.Contains(t, out, "  x  1 items")
	code, out, errOut = call(gatecli.Benchmark(), "contamination", "--benchmark", filepath.Join(dir, "x"), file(t, "r.jsonl.gz", zip(t, "\xef\xbb\xbf{\"text\":\"q t\"}\r\n")))
	require.Zero(t, code, errOut)
	require.Equal(t, "x/1\n", out)
	code, _, errOut = call(gatecli.Canary(), "--baseline", file(t, "a.gz", zip(t, requests)), "--canary", file(t, "b.gz", zip(t, requests)))
	require.Zero(t, code, errOut)
}

func TestCanary_EndsWhateverTheTimes(t *testing.T) {
	for name, text := range map[string]string{"far apart": "0 0\n1e300 1\n", "years": "0001-01-01T00:00:00Z 0\n9999-12-31T23:59:59Z 1\n", "close": "1e15 0\n1e15 1\n"} {
		path := file(t, "c.txt", text)
		code, out, errOut := call(gatecli.Canary(), "--baseline", path, "--canary", path, "--tick", "1ns")
		require.Zero(t, code, "%s: %s", name, errOut)
		require.Contains(t, out, "1 errors in 2 requests, canary 1 in 2", name)
	}
}
