package gatecli_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/local/cli/gatecli"
)

// call runs a command as a shell would.
func call(cmd *cobra.Command, args ...string) (code int, out, errOut string) {
	var stdout, stderr bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	return gatecli.ExitCode(cmd.Execute()), stdout.String(), stderr.String()
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// results writes n items of which the first wrong fail.
func results(t *testing.T, name string, n, wrong int) string {
	t.Helper()
	var text strings.Builder
	for i := range n {
		score := 1
		if i < wrong {
			score = 0
		}
		fmt.Fprintf(&text, `{"benchmark":"a","lock":"sha256:l1","capability":"knowledge","item":"%d","score":%d,"output":"o%d"}`+"\n", i, score, i)
	}
	return file(t, name, text.String())
}

func TestGate_ExitCodeIsTheVerdict(t *testing.T) {
	old := results(t, "old.jsonl", 1000, 100)
	for _, c := range []struct {
		name      string
		candidate string
		code      int
		verdict   gate.Verdict
	}{
		{"better", results(t, "b.jsonl", 1000, 90), gatecli.ExitPass, gate.Pass},
		{"worse", results(t, "c.jsonl", 1000, 180), gatecli.ExitFail, gate.Fail},
		{"items missing", results(t, "d.jsonl", 999, 90), gatecli.ExitInconclusive, gate.Inconclusive},
		{"no data", file(t, "e.jsonl", ""), gatecli.ExitInconclusive, gate.Inconclusive},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errOut := call(gatecli.Gate(), "--incumbent", old, "--candidate", c.candidate, "--json")
			require.Equal(t, c.code, code, out+errOut)
			var report struct {
				Verdict gate.Verdict `json:"verdict"`
				Reasons []string     `json:"reasons"`
				Digest  string       `json:"digest"`
			}
			require.NoError(t, json.Unmarshal([]byte(out), &report))
			require.Equal(t, c.verdict, report.Verdict)
			require.NotEmpty(t, report.Reasons)
			require.NotEmpty(t, report.Digest)
		})
	}
}

func TestGate_PrintedPolicyIsAccepted(t *testing.T) {
	code, policy, _ := call(gatecli.Gate(), "--print-policy")
	require.Zero(t, code)
	old := results(t, "old.jsonl", 1000, 100)
	code, out, errOut := call(gatecli.Gate(), "--policy", file(t, "p.json", policy), "--incumbent", old, "--candidate", old)
	require.Zero(t, code, out+errOut)
	require.Contains(t, out, "PASS")
}

func TestGate_WritesPage(t *testing.T) {
	old, page := results(t, "old.jsonl", 1000, 100), filepath.Join(t.TempDir(), "r.html")
	code, _, errOut := call(gatecli.Gate(), "--incumbent", old, "--candidate", old, "--html", page)
	require.Zero(t, code, errOut)
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(content), "<!doctype html>")
}

func TestGate_RefusesWhatCannotBeJudged(t *testing.T) {
	old := results(t, "old.jsonl", 3, 0)
	other := file(t, "other.jsonl", `{"benchmark":"a","lock":"sha256:l2","capability":"knowledge","item":"0","score":1}`)
	bad := file(t, "bad.jsonl", "{}\nnot json\n")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no files", nil, "no --incumbent file (name the file with --incumbent FILE)"},
		{"file not there", []string{"--incumbent", "nowhere.jsonl", "--candidate", old}, "nowhere.jsonl: the file cannot be opened"},
		{"unequal locks", []string{"--incumbent", old, "--candidate", other}, other + ":1: the lock sha256:l2 of a differs from the incumbent's sha256:l1"},
		{"first bad line", []string{"--incumbent", old, "--candidate", bad}, bad + ":1: no score"},
		{"second bad line", []string{"--incumbent", old, "--candidate", bad}, bad + ":2: not a JSON object"},
		{"unknown policy key", []string{"--policy", file(t, "p.json", `{"schema":"gate-policy/v1","alfa":1}`)}, `unknown field "alfa"`},
		{"policy out of range", []string{"--policy", file(t, "p.json", `{"schema":"gate-policy/v1","alpha":7}`)}, "alpha"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, errOut := call(gatecli.Gate(), c.args...)
			require.Equal(t, gatecli.ExitUnjudgeable, code)
			require.Contains(t, errOut, c.want)
		})
	}
}

func TestGate_ReadsZippedResults(t *testing.T) {
	old := results(t, "old.jsonl", 1000, 100)
	content, err := os.ReadFile(old)
	require.NoError(t, err)
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	_, err = zw.Write(content)
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	code, out, errOut := call(gatecli.Gate(), "--incumbent", old, "--candidate", file(t, "new.jsonl.gz", zipped.String()))
	require.Zero(t, code, out+errOut)
	code, _, errOut = call(gatecli.Gate(), "--incumbent", old, "--candidate", file(t, "plain.gz", string(content)))
	require.Equal(t, gatecli.ExitUnjudgeable, code)
	require.Contains(t, errOut, "plain.gz: not a gzip file")
}
