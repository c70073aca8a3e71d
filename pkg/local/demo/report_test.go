package demo_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/demo"
)

// complete is the report of a story in which everything happened.
func complete() demo.Report {
	scores := demo.Scores{NewAfter: 0.9, OldBefore: 0.9, OldAfter: 0.8, NewItems: 10, OldItems: 10}
	r := demo.Report{Seconds: map[string]float64{}, Asked: []demo.Asked{{Before: "no idea", After: "in Bremen"}},
		Verdicts: map[string]string{"safe": "PASS", "poison": "FAIL"}, Scores: map[string]demo.Scores{"safe": scores, "poison": scores},
		Digests:  map[string]string{"base": "sha256:1", "version safe": "sha256:2", "report safe": strings.Repeat("a", 64), "benchmark company": "sha256:3", "benchmark general": "sha256:4"},
		Rollback: 0.3, CanaryRollback: "answers", Requests: 10, LiveShare: map[string]int{"2": 100}}
	for _, act := range []string{"base", "questionBefore", "admission", "training", "gate", "approval", "release", "questionAfter", "poison", "breakGlass", "drill", "lineage"} {
		r.Seconds[act] = 1
	}
	return r
}

func TestReport_NamesWhatDidNotHappen(t *testing.T) {
	require.Empty(t, complete().Missing())
	for says, spoil := range map[string]func(*demo.Report){
		"the seconds of drill":                func(r *demo.Report) { delete(r.Seconds, "drill") },
		"questions asked before and after":    func(r *demo.Report) { r.Asked = nil },
		"the answer afterwards":               func(r *demo.Report) { r.Asked[0].After = "" },
		"the verdict on poison":               func(r *demo.Report) { delete(r.Verdicts, "poison") },
		"the scores of safe":                  func(r *demo.Report) { delete(r.Scores, "safe") },
		"the digest of version safe":          func(r *demo.Report) { r.Digests["version safe"] = "" },
		"the seconds of the rollback":         func(r *demo.Report) { r.Rollback = 0 },
		"the reason of the canary's rollback": func(r *demo.Report) { r.CanaryRollback = "" },
		"traffic":                             func(r *demo.Report) { r.Requests = 0 },
		"one live version":                    func(r *demo.Report) { r.LiveShare["1"] = 5 },
	} {
		r := complete()
		spoil(&r)
		require.Contains(t, strings.Join(r.Missing(), ", "), says)
	}
}

// A demo that cannot go on fails, and says so in its report.
func TestRun_FailsAndReportsWhatDidNotHappen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	o := demo.Options{Model: "tiny", Models: t.TempDir(), Yes: true, Out: &strings.Builder{}}
	o.Data, o.Code, o.Python = dir, "../testdata/containers", "/bin/false"
	err := demo.Run(t.Context(), o)
	require.ErrorContains(t, err, "base: python -m continual models tiny")
	b, err := os.ReadFile(filepath.Join(dir, "demo-report.json"))
	require.NoError(t, err)
	var r demo.Report
	require.NoError(t, json.Unmarshal(b, &r))
	require.False(t, r.OK)
	require.Contains(t, r.Error, "python -m continual models tiny")
	require.NotEmpty(t, r.Missing())
}
