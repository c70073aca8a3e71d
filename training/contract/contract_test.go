package contract_test

import (
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/statemachines"
	"github.com/perennial-llm/perennial/training/contract"
)

var jobs = map[string]string{"run": "train", "eval": "evaluate"}

// combinations are refused by the container after the preset is laid under the document; the schema alone accepts them.
var combinations = []string{"osf-ties", "olora-full", "kl-off", "ratio-zero", "sdft-replay", "first-layer-full", "dropout-cpt"}

func fixtures(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := fs.Glob(contract.Files, pattern)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

func TestCheck_AcceptsWhatPythonAccepts(t *testing.T) {
	for folder, job := range jobs {
		for _, name := range fixtures(t, folder+"/good/*.json") {
			raw, err := contract.Files.ReadFile(name)
			require.NoError(t, err)
			require.Empty(t, contract.Check(job, raw), name)
		}
	}
}

func TestCheck_RefusesWhatPythonRefusesInTheSameWords(t *testing.T) {
	for folder, job := range jobs {
		for _, name := range fixtures(t, folder+"/bad/*.json") {
			raw, err := contract.Files.ReadFile(name)
			require.NoError(t, err)
			var c struct {
				Document json.RawMessage `json:"document"`
				Expect   string          `json:"expect"`
			}
			require.NoError(t, json.Unmarshal(raw, &c), name)
			got := strings.Join(contract.Check(job, c.Document), "; ")
			if slices.Contains(combinations, strings.TrimSuffix(path.Base(name), ".json")) {
				require.Empty(t, got, name)
				continue
			}
			require.True(t, strings.HasPrefix(got, c.Expect), "%s: %q does not begin with %q", name, got, c.Expect)
		}
	}
}

func TestCheck_NamesWhatIsNoDocumentAndNoJob(t *testing.T) {
	require.Contains(t, contract.Check("train", []byte("{"))[0], "(root): not valid JSON")
	require.Contains(t, contract.Check("train", []byte("{} {}"))[0], "more than one document")
	require.Contains(t, contract.Check("serve", []byte("{}"))[0], "job: must be one of train, evaluate")
	require.Equal(t, "train.epochs: 1e999 is out of range", contract.Check("train", []byte(`{"schema":1,"job":"train","train":{"epochs":1e999}}`))[0])
}

func TestCheckSections_RefusesByPath(t *testing.T) {
	require.NoError(t, contract.CheckSections([]byte(`{"train":{"epochs":3},"params":{"r":8}}`)))
	require.NoError(t, contract.CheckSections([]byte(`null`)))
	for raw, want := range map[string]string{
		`[]`:                           "(root): must be an object",
		`{"train":{"epochs":0}}`:       "train.epochs: must be above 0",
		`{"train":{"speed":1}}`:        "train.speed: unknown key; legal here: batch_rows",
		`{"loss":{"kl":"strong"}}`:     "loss.kl: must be number, is string",
		`{"preset":"naive"}`:           "preset: is set by the platform",
		`{"params":{"targets":[1]}}`:   "params.targets[0]: must be string",
		`{"post":{"alphas":[]}}`:       "post.alphas: needs at least 1 items; has 0",
		`{"replay":{"mode":"always"}}`: "replay.mode: must be one of none, replay, self_replay, both",
	} {
		require.ErrorContains(t, contract.CheckSections([]byte(raw)), want, raw)
	}
}

// metrics is the fixture of metric lines that Python writes.
type metrics struct {
	Definitions map[string]string `json:"definitions"`
	Lines       []struct {
		Line     string            `json:"line"`
		Captures map[string]string `json:"captures"`
	} `json:"lines"`
}

func TestMetricDefinitions_AreTheContractsAndCaptureItsLines(t *testing.T) {
	raw, err := contract.Files.ReadFile("metrics.json")
	require.NoError(t, err)
	var m metrics
	require.NoError(t, json.Unmarshal(raw, &m))
	require.Equal(t, m.Definitions, declared(t, "train-model", "evaluate-model"))
	for _, l := range m.Lines {
		got := map[string]string{}
		for name, expr := range m.Definitions {
			if found := regexp.MustCompile(expr).FindStringSubmatch(l.Line); found != nil {
				got[name] = found[1]
			}
		}
		require.Equal(t, l.Captures, got, l.Line)
	}
}

// declared gathers the MetricDefinitions of the state machines.
func declared(t *testing.T, names ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range names {
		var document any
		require.NoError(t, json.Unmarshal(statemachines.All()[name], &document))
		collect(document, out)
	}
	return out
}

func collect(node any, out map[string]string) {
	switch v := node.(type) {
	case []any:
		for _, child := range v {
			collect(child, out)
		}
	case map[string]any:
		if name, expr := v["Name"], v["Regex"]; name != nil && expr != nil {
			out[name.(string)] = expr.(string)
		}
		for _, child := range v {
			collect(child, out)
		}
	}
}
