package gate_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
)

func lines(name, text string) gate.Results {
	return gate.Lines(name, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil })
}

func TestLines_ReadsPlainAndUnusualLines(t *testing.T) {
	text := "\xef\xbb\xbf" + `{"benchmark":"a","lock":"l","capability":"k","item":"1","score":0.25,"mustPass":true,"tokens":7,"latencyMs":1.5,"output":"yes"}` + "\r\n\n" +
		`{ "item": "2", "benchmark": "a", "lock": "l", "capability": "k", "score": 1e-1, "output": "say \"hi\" \u00e9", "extra": {"deep": [1]} }` + "\n" +
		`{"benchmark":"a","lock":"l","capability":"k","item":"3","error":"time out","score":null}`
	var got []gate.Result
	for r, err := range lines("f.jsonl", text) {
		require.NoError(t, err)
		got = append(got, r)
	}
	require.Len(t, got, 3)
	require.Equal(t, 0.25, got[0].Score)
	require.True(t, got[0].MustPass)
	require.Equal(t, 7, got[0].Tokens)
	require.Equal(t, 0.1, got[1].Score)
	require.Equal(t, `say "hi" é`, got[1].Output)
	require.Equal(t, "time out", got[2].Error)
}

func TestDecide_NamesFileAndLineOfEveryProblem(t *testing.T) {
	good := `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"1","score":1}` + "\n"
	for _, c := range []struct{ name, line, want string }{
		{"no JSON", `{"benchmark":`, "b.jsonl:2: not a JSON object"},
		{"array", `[1]`, "b.jsonl:2: the line is a list where an object belongs"},
		{"tokens in part", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":1,"tokens":1.5}`, "b.jsonl:2: tokens is the number 1.5 where a whole number belongs"},
		{"negative latency", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":1,"latencyMs":-1}`, "b.jsonl:2: latencyMs or tokens are below 0"},
		{"negative tokens", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":1,"tokens":-1}`, "b.jsonl:2: latencyMs or tokens are below 0"},
		{"misspelt field", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":1,"mustPas":true}`, `b.jsonl:2: "mustPas" is not a field; did you mean "mustPass"?`},
		{"other spelling", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":1,"cluster_id":"c"}`, `b.jsonl:2: "cluster_id" is not a field; did you mean "cluster"?`},
		{"score as text", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":"1"}`, "b.jsonl:2: score is a string where a number belongs"},
		{"no score", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2"}`, "b.jsonl:2: no score"},
		{"score above 1", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":1.5}`, "b.jsonl:2: the score 1.5 is not from 0 to 1"},
		{"negative score", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":-0.5}`, "b.jsonl:2: the score -0.5 is not from 0 to 1"},
		{"not a number", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":NaN}`, "b.jsonl:2: not a JSON object"},
		{"leading zero", `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"2","score":01}`, "b.jsonl:2: not a JSON object"},
		{"no lock", `{"benchmark":"a","capability":"k","item":"2","score":1}`, "b.jsonl:2: no lock"},
		{"no item", `{"benchmark":"a","lock":"sha256:l1","capability":"k","score":1}`, "b.jsonl:2: no item"},
		{"no capability", `{"benchmark":"a","lock":"sha256:l1","item":"2","score":1}`, "b.jsonl:2: no capability"},
		{"no benchmark", `{"lock":"sha256:l1","capability":"k","item":"2","score":1}`, "b.jsonl:2: no benchmark"},
		{"twice", strings.TrimSpace(good), "b.jsonl:2: item 1 of a occurs twice"},
		{"other lock", `{"benchmark":"a","lock":"sha256:l2","capability":"k","item":"2","score":1}`, "results under different locks are not compared"},
		{"other capability", `{"benchmark":"a","lock":"sha256:l1","capability":"z","item":"7","score":1}`, `has capability "z" here and "k" elsewhere`},
		{"not UTF-8", "{\"benchmark\":\"\xff\"}", "b.jsonl:2: the line is not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := good + `{"benchmark":"a","lock":"sha256:l1","capability":"k","item":"7","score":1}` + "\n"
			_, err := gate.Decide(gate.DefaultPolicy(), gate.Input{Incumbent: lines("a.jsonl", old), Candidate: lines("b.jsonl", good+c.line+"\n")})
			require.Error(t, err)
			require.Contains(t, gate.ProblemsOf(err)[0].Error(), c.want)
		})
	}
}

// A line may carry what it likes beside the fields, as long as it is no slip of one.
func TestLines_IgnoreForeignKeys(t *testing.T) {
	text := `{"benchmark":"a","lock":"l","capability":"k","item":"1","score":1,"doc_hash":"x","model":"m","store":7,"final":true,"seed":null,"metadata":{"a":[1]}}` + "\n"
	for r, err := range lines("f.jsonl", strings.Repeat(text, 2)) {
		require.NoError(t, err)
		require.Equal(t, 1.0, r.Score)
		require.False(t, r.MustPass)
	}
}

// Unequal locks: the part that differs where it is known, which side to evaluate again in any case.
func TestDecide_UnequalLocksNameTheDifferenceAndWhatToRerun(t *testing.T) {
	result := func(lock string) gate.Results {
		return gate.Slice([]gate.Result{{Benchmark: "a", Lock: lock, Capability: "k", Item: "1", Score: 1}})
	}
	parts := func(_, lock string) map[string]string {
		return map[string]map[string]string{
			"sha256:old": {"items": "1", "prompt": "1", "decoding": "1"}, "sha256:new": {"items": "1", "prompt": "2", "decoding": "2"},
		}[lock]
	}
	for _, c := range []struct {
		name               string
		in                 gate.Input
		message, hint, not string
	}{
		{"known parts", gate.Input{Incumbent: result("sha256:old"), Candidate: result("sha256:new"), Parts: parts},
			"they differ in decoding, prompt or chat template", "evaluate the incumbent again on a under lock sha256:new", "perennial benchmark"},
		{"one lock unknown", gate.Input{Incumbent: result("sha256:other"), Candidate: result("sha256:new"), Parts: parts},
			"a digest does not say which part", "perennial benchmark lock A B names the part", "they differ"},
		{"readable locks", gate.Input{Incumbent: result("lm-eval/0.4.8:arc"), Candidate: result("lm-eval/0.4.9:arc")},
			"they differ in harness version", "evaluate the incumbent again on a under lock lm-eval/0.4.9:arc", "perennial benchmark"},
		{"anchor", gate.Input{Incumbent: result("sha256:new"), Candidate: result("sha256:new"), Anchor: result("sha256:old"), Parts: parts},
			"they differ in decoding", "evaluate the anchor again on a under lock sha256:new", "evaluate the incumbent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := gate.Decide(gate.DefaultPolicy(), c.in)
			problem := gate.ProblemsOf(err)[0]
			require.Contains(t, problem.Message, c.message)
			require.Contains(t, problem.Hint, c.hint)
			require.NotContains(t, problem.Error(), c.not)
		})
	}
}
