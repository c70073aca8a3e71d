package gatecli_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/local/cli/gatecli"
)

func TestBenchmark_ImportLockAndContamination(t *testing.T) {
	source := file(t, "capitals.csv", "id,input,target,capability\nfr,What is the capital of France?,Paris,knowledge\nit,What is the capital of Italy?,Rome,knowledge\n")
	dir := t.TempDir()
	code, out, errOut := call(gatecli.Benchmark(), "import", source, "--name", "capitals", "--out", dir)
	require.Zero(t, code, errOut)
	require.Regexp(t, `^sha256:[0-9a-f]{64}  capitals  2 items\n$`, out)
	folder := filepath.Join(dir, "capitals")

	code, again, errOut := call(gatecli.Benchmark(), "lock", folder)
	require.Zero(t, code, errOut)
	require.Equal(t, out, again)

	data := file(t, "data.jsonl", `{"prompt":"Say hello","completion":"hello"}`+"\n"+
		`{"messages":[{"role":"user","content":"What is the capital of France?"},{"role":"assistant","content":"Paris."}]}`+"\n")
	code, out, errOut = call(gatecli.Benchmark(), "contamination", "--benchmark", folder, data, "--exit-code")
	require.Equal(t, gatecli.ExitInconclusive, code)
	require.Equal(t, "capitals/fr\n", out)
	require.Contains(t, errOut, data+":2 holds capitals/fr")
	require.Contains(t, errOut, "1 of 2 benchmark items occur")
}

func TestBenchmark_ImportWritesNothingWhenALineIsWrong(t *testing.T) {
	source, dir := file(t, "bad.jsonl", `{"input":"q","target":"t"}`+"\n{\n"), t.TempDir()
	code, _, errOut := call(gatecli.Benchmark(), "import", source, "--name", "x", "--out", dir)
	require.Equal(t, gatecli.ExitUnjudgeable, code)
	require.Contains(t, errOut, source+":2: not an item")
	entries, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestBenchmark_LockNamesWhatDiffers(t *testing.T) {
	dir := t.TempDir()
	for name, scorer := range map[string]string{"a": "exact", "b": "contains"} {
		code, _, errOut := call(gatecli.Benchmark(), "import", file(t, "x.jsonl", `{"id":"1","input":"q","target":"t"}`), "--name", name, "--scorer", scorer, "--out", dir)
		require.Zero(t, code, errOut)
	}
	cmd := gatecli.Benchmark()
	cmd.SetArgs([]string{"lock", filepath.Join(dir, "a"), filepath.Join(dir, "b")})
	err := cmd.Execute()
	require.ErrorContains(t, err, `they differ in scorer ({"kind":"exact"} and {"kind":"contains"})`)
	require.Equal(t, gatecli.ExitUnjudgeable, gatecli.ExitCode(err))

	old, now := lockOf(t, filepath.Join(dir, "a")), lockOf(t, filepath.Join(dir, "b"))
	line := func(name, lock string) string {
		return file(t, name, fmt.Sprintf(`{"benchmark":"a","lock":%q,"capability":"k","item":"1","score":1}`, lock))
	}
	sides := []string{"--incumbent", line("old.jsonl", old), "--candidate", line("new.jsonl", now)}
	code, _, errOut := call(gatecli.Gate(), sides...)
	require.Equal(t, gatecli.ExitUnjudgeable, code)
	require.Contains(t, errOut, "perennial benchmark lock A B names the part that differs")
	code, _, errOut = call(gatecli.Gate(), append(sides, "--benchmark", filepath.Join(dir, "a"), "--benchmark", filepath.Join(dir, "b"))...)
	require.Equal(t, gatecli.ExitUnjudgeable, code)
	require.Contains(t, errOut, "they differ in scorer (evaluate the incumbent again on a under lock "+benchmark.ShortLock(now))
}

func TestBenchmark_LibraryListsLicenceSourceSizeAndMetric(t *testing.T) {
	code, out, errOut := call(gatecli.Benchmark(), "library")
	require.Zero(t, code, errOut)
	require.Regexp(t, `(?m)^gsm8k +gsm8k +reasoning +exact_match +1319 +5 +openai/gsm8k +MIT +dataset card$`, out)
	code, out, _ = call(gatecli.Benchmark(), "library", "--json")
	require.Zero(t, code)
	require.Contains(t, out, `"harness": "lm-eval/`)
}

func lockOf(t *testing.T, folder string) string {
	t.Helper()
	v, err := benchmark.ReadFolder(folder)
	require.NoError(t, err)
	return v.Lock()
}
