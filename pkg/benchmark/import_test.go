package benchmark_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/benchmark"
)

func TestReadJSONL_KeepsGoodLinesBesideBadOnes(t *testing.T) {
	text := "\xef\xbb\xbf" + `{"id":"a","input":"q","target":"t","capability":"k","weight":2,"mustPass":true}
{"input":"q2","target":"t"}

{"id":"b","question":"q"}
{"id":"c","input":7}
[]
{"id":"d"} {"id":"e"}
`
	items, problems := benchmark.ReadJSONL("s.jsonl", strings.NewReader(text), benchmark.Defaults{Capability: "general", Source: "us"})
	require.Equal(t, []benchmark.Item{
		{ID: "a", Input: "q", Target: "t", Capability: "k", Weight: 2, MustPass: true, Source: "us"},
		{ID: "line-2", Input: "q2", Target: "t", Capability: "general", Source: "us"},
	}, items)
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	require.Len(t, got, 4)
	require.Contains(t, got[0], `s.jsonl:4: not an item: unknown field "question"`)
	require.Contains(t, got[1], "s.jsonl:5: input is a number where a string belongs")
	require.Contains(t, got[2], "s.jsonl:6: ")
	require.Contains(t, got[3], "s.jsonl:7: more than one JSON value on the line")
}

func TestReadCSV(t *testing.T) {
	text := "id,input,choices,target,mustPass\n1,\"Red, or\nblue?\",red|blue,red,true\n2,Only two\n3,Yes?,yes|no,yes,perhaps\n"
	items, problems := benchmark.ReadCSV("s.csv", strings.NewReader(text), benchmark.Defaults{Capability: "k"})
	require.Equal(t, []benchmark.Item{{ID: "1", Input: "Red, or\nblue?", Choices: []string{"red", "blue"}, Target: "red", MustPass: true, Capability: "k"}}, items)
	require.Len(t, problems, 2)
	require.ErrorContains(t, problems[0], "s.csv:4: 2 cells where the header has 5")
	require.ErrorContains(t, problems[1], `s.csv:5: mustPass cannot be "perhaps"`)

	_, problems = benchmark.ReadCSV("s.csv", strings.NewReader("id,answer\n"), benchmark.Defaults{})
	require.ErrorContains(t, problems[0], `s.csv:1: the column "answer" is not known`)
	_, problems = benchmark.ReadCSV("s.csv", strings.NewReader(""), benchmark.Defaults{})
	require.ErrorContains(t, problems[0], "s.csv:1: no header row")
}

func openText(text string) func(string) (io.ReadCloser, error) {
	return func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

const goodTask = `task: Company_QA
dataset_path: json
dataset_kwargs:
  data_files:
    test: qa.jsonl
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{question | trim}}\nAnswer:"
doc_to_target: answer
doc_to_choice: "{{choices.text}}"
num_fewshot: 0
metric_list:
  - metric: acc_norm
metadata:
  version: 2.0
`

func TestReadLMEval_RendersDeclarativeTasks(t *testing.T) {
	data := `{"id":7,"question":" Which? ","choices":{"text":["red","blue"]},"answer":1}
{"question":"No choices","answer":0}
`
	var asked string
	v, problems := benchmark.ReadLMEval("t.yaml", strings.NewReader(goodTask), func(path string) (io.ReadCloser, error) {
		asked = path
		return openText(data)("")
	}, benchmark.Defaults{Capability: "k"})
	require.Equal(t, "qa.jsonl", asked)
	require.Equal(t, "company_qa", v.Name)
	require.Equal(t, benchmark.Scorer{Kind: "choice", Params: map[string]any{"metric": "acc_norm"}}, v.Scorer)
	require.Equal(t, []benchmark.Item{{ID: "7", Input: "Question: Which?\nAnswer:", Choices: []string{"red", "blue"}, Target: "blue", Capability: "k"}}, v.Items)
	require.Len(t, problems, 1)
	require.ErrorContains(t, problems[0], "data:2: no field choices.text")
}

func TestReadLMEval_GenerationAndMetric(t *testing.T) {
	task := `task: gen
dataset_path: json
output_type: generate_until
doc_to_text: "{{doc['q']}}"
doc_to_target: "{{answers[0]}}"
generation_kwargs: {max_gen_toks: 64, until: ["\n"], temperature: 0.0}
metric_list: [{metric: exact_match, ignore_case: true}]
`
	v, problems := benchmark.ReadLMEval("t.yaml", strings.NewReader(task), openText(`{"q":"2+2?","answers":[4]}`), benchmark.Defaults{Capability: "k"})
	require.Empty(t, problems)
	require.Equal(t, "normalized_exact", v.Scorer.Kind)
	require.Equal(t, benchmark.Decoding{MaxTokens: 64, Stop: []string{"\n"}}, v.Decoding)
	require.Equal(t, "4", v.Items[0].Target)
	require.NoError(t, v.Validate())
}

func TestReadLMEval_RefusesCodeWithItsLine(t *testing.T) {
	for _, c := range []struct{ name, old, put, want string }{
		{"function", "answer\n", "!function utils.target\n", "t.yaml:9: !function is code"},
		{"nested function", "  version: 2.0", "  version: !function x.y", "t.yaml:15: !function is code"},
		{"python object", "answer\n", "!!python/object/apply:os.system [ls]\n", "t.yaml:9"},
		{"process_docs", "num_fewshot: 0", "process_docs: p", "t.yaml:11: process_docs runs or includes code"},
		{"include", "num_fewshot: 0", "include: other.yaml", "t.yaml:11: include runs or includes code"},
		{"unsafe code", "num_fewshot: 0", "unsafe_code: true", "t.yaml:11: unsafe_code runs or includes code"},
		{"custom dataset", "num_fewshot: 0", "custom_dataset: x", "t.yaml:11: custom_dataset runs or includes code"},
		{"few-shot", "num_fewshot: 0", "num_fewshot: 5", "t.yaml:11: few-shot examples are not rendered"},
		{"unknown key", "num_fewshot: 0", "num_shots: 5", "t.yaml:11: the key num_shots is not known"},
		{"output type", "multiple_choice", "loglikelihood", "t.yaml:7: the output type loglikelihood is not imported"},
		{"Jinja statement", "{{question | trim}}", "{% for x in y %}", "t.yaml:8: doc_to_text: a Jinja statement is code"},
		{"Jinja call", "{{question | trim}}", "{{question.__class__()}}", "is more than a field"},
		{"Jinja attribute", "{{question | trim}}", "{{question.__class__}}", "is more than a field"},
		{"Jinja method", "{{question | trim}}", "{{question.split(' ')}}", "is more than a field"},
		{"index of an index", "doc_to_target: answer\n", "doc_to_target: \"{{a.index(b.index(c))}}\"\n", "t.yaml:9: doc_to_target"},
		{"choices of an expression", "{{choices.text}}", "{{[a + b, c]}}", "t.yaml:10: doc_to_choice is more than a field"},
		{"filter", "num_fewshot: 0", "filter_list: [{name: x, filter: [{function: take_first}, {function: regex}]}]", "t.yaml:11: the filter regex is not applied"},
		{"group of tasks", "task: Company_QA", "task: [a, b]", "t.yaml:1: a group of tasks has no items of its own"},
		{"Jinja filter", "{{question | trim}}", "{{question | attr}}", `the filter "attr" is not known`},
		{"alias", "task: Company_QA", "task: &a Company_QA\ngroup: *a", "t.yaml:2: aliases are not read"},
		{"no task", "task: Company_QA\n", "", "t.yaml:1: no task"},
		{"not YAML", "task: Company_QA", "task: [", "t.yaml: not YAML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, goodTask, c.old)
			opened := func(string) (io.ReadCloser, error) {
				return openText(`{"question":"q","choices":{"text":["a","b"]},"answer":0}`)("")
			}
			_, problems := benchmark.ReadLMEval("t.yaml", strings.NewReader(strings.Replace(goodTask, c.old, c.put, 1)), opened, benchmark.Defaults{Capability: "k"})
			require.NotEmpty(t, problems)
			require.ErrorContains(t, problems[0], c.want)
		})
	}
}

func TestReadLMEval_ReadsTheFormsOfPublishedTasks(t *testing.T) {
	const choice = "task: c\noutput_type: multiple_choice\n"
	const written = "task: w\noutput_type: generate_until\ndoc_to_text: \"Q: {{question}}?\\nA:\"\n"
	row := `{"question":" Which? ","options":{"text":["red","blue"],"label":["A","B"]},"key":" B","one":"red","two":" blue","answers":["x","y"]}`
	for _, c := range []struct {
		name, task string
		want       benchmark.Item
	}{
		{"the place of a label", choice + "doc_to_text: \"{{question.strip()}}\"\ndoc_to_target: \"{{options.label.index(key.lstrip())}}\"\ndoc_to_choice: \"{{options.text}}\"\n",
			benchmark.Item{Input: "Which?", Choices: []string{"red", "blue"}, Target: "blue"}},
		{"a list of fields and a fixed place", choice + "doc_to_text: question\ndoc_to_target: 1\ndoc_to_choice: \"{{[one, two.strip()]}}\"\n",
			benchmark.Item{Input: " Which? ", Choices: []string{"red", "blue"}, Target: "blue"}},
		{"several right answers", written + "doc_to_target: \"{{answers}}\"\nfilter_list: [{name: w, filter: [{function: remove_whitespace}]}]\n",
			benchmark.Item{Input: "Q:  Which? ?\nA:", Targets: []string{"x", "y"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, problems := benchmark.ReadLMEval("t.yaml", strings.NewReader(c.task), openText(row), benchmark.Defaults{Capability: "k"})
			require.Empty(t, problems)
			c.want.ID, c.want.Capability = "line-1", "k"
			require.Equal(t, []benchmark.Item{c.want}, v.Items)
		})
	}
}

func TestReadLMEval_NamesWhatItCannotScore(t *testing.T) {
	const task = "task: w\noutput_type: generate_until\ndoc_to_text: q\ndoc_to_target: a\nmetric_list:\n"
	for put, want := range map[string]string{
		"  - metric: pass_at_k\n":                                   "t.yaml:6: the metric pass_at_k is not imported",
		"  - metric: exact_match\n    regexes_to_ignore: [\",\"]\n": "t.yaml:7: regexes_to_ignore is not applied",
	} {
		_, problems := benchmark.ReadLMEval("t.yaml", strings.NewReader(task+put), openText(`{"q":"q","a":"a"}`), benchmark.Defaults{Capability: "k"})
		require.Len(t, problems, 1)
		require.ErrorContains(t, problems[0], want)
	}
	_, problems := benchmark.ReadLMEval("t.yaml", strings.NewReader(strings.Replace(task, "metric_list:\n", "", 1)), openText("{\"q\":\"q\",\"a\":\"a\"}\n{\"q\":\"q\",\"a\":\"\"}\n"), benchmark.Defaults{Capability: "k"})
	require.Len(t, problems, 1)
	require.ErrorContains(t, problems[0], "data:2: no target")
}

func TestReaders_CheckEachItemForItsScorer(t *testing.T) {
	defaults := benchmark.Defaults{Capability: "k", Scorer: &benchmark.Scorer{Kind: "exact"}}
	items, problems := benchmark.ReadJSONL("s.jsonl", strings.NewReader(`{"id":"a","input":"q","target":"t"}
{"id":"a","input":"q","target":"t"}
{"id":"b","input":"q"}
{"id":"c"}
`), defaults)
	require.Len(t, items, 1)
	require.Len(t, problems, 3)
	require.ErrorContains(t, problems[0], `s.jsonl:2: the id "a" is used on line 1 already`)
	require.ErrorContains(t, problems[1], "s.jsonl:3: no target")
	require.ErrorContains(t, problems[2], "s.jsonl:4: no question")

	_, problems = benchmark.ReadCSV("s.csv", strings.NewReader("id,input,target,weight\n1,q,t,NaN\n2,q,t,Inf\n3,q,t,-1\n4,q\xff,t,1\n5,q,t,1\n"), defaults)
	require.Len(t, problems, 4)
	for i, want := range []string{"s.csv:2: the weight NaN", "s.csv:3: the weight +Inf", "s.csv:4: the weight -1", "s.csv:5: input is not UTF-8"} {
		require.ErrorContains(t, problems[i], want)
	}
	_, problems = benchmark.ReadCSV("s.csv", strings.NewReader("id,input,input\n"), defaults)
	require.ErrorContains(t, problems[0], `s.csv:1: the column "input" is there twice`)
}

func TestIndex_Binary(t *testing.T) {
	ix := benchmark.NewIndex(version())
	b, err := ix.MarshalBinary()
	require.NoError(t, err)
	var again benchmark.Index
	require.NoError(t, again.UnmarshalBinary(b))
	item, found := again.Overlaps("What is the capital of France? Paris")
	require.True(t, found)
	require.Equal(t, "capitals/fr", item)
	for cut := range len(b) {
		require.Error(t, new(benchmark.Index).UnmarshalBinary(b[:cut]))
	}
	require.Error(t, new(benchmark.Index).UnmarshalBinary(append(b, 0)))
	_, found = new(benchmark.Index).Overlaps("anything at all")
	require.False(t, found)
}

func TestVersion_Folder(t *testing.T) {
	dir := t.TempDir()
	v := version()
	require.NoError(t, v.WriteFolder(dir))
	got, err := benchmark.ReadFolder(dir + "/capitals")
	require.NoError(t, err)
	require.Equal(t, v.Lock(), got.Lock())
	files := v.Files()
	files["items.jsonl"] = []byte(strings.Replace(string(files["items.jsonl"]), "Paris", "Lyon", 1))
	_, err = benchmark.FromFiles(files)
	require.ErrorContains(t, err, "the lock does not fit the benchmark")
	_, err = benchmark.ReadFolder(dir + "/nothing")
	require.ErrorContains(t, err, "the benchmark has no lock.json")
}

func TestVersion_Validate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*benchmark.Version)
		want   string
	}{
		{"name", func(v *benchmark.Version) { v.Name = "../x" }, "is not usable"},
		{"no items", func(v *benchmark.Version) { v.Items = nil }, "has no items"},
		{"scorer", func(v *benchmark.Version) { v.Scorer.Kind = "vibes" }, `scorer kind "vibes" is not known`},
		{"pattern", func(v *benchmark.Version) {
			v.Scorer = benchmark.Scorer{Kind: "regex", Params: map[string]any{"pattern": "(?=a)"}}
		}, "use RE2 syntax"},
		{"same id", func(v *benchmark.Version) { v.Items[1].ID = "fr" }, `item 2 (fr): the id "fr" is used twice`},
		{"no question", func(v *benchmark.Version) { v.Items[0].Input = "" }, "item 1 (fr): no question"},
		{"two questions", func(v *benchmark.Version) { v.Items[0].Messages = []benchmark.Message{{Role: "user", Content: "q"}} }, "keep one of them"},
		{"no capability", func(v *benchmark.Version) { v.Items[0].Capability = "" }, "no capability"},
		{"no target", func(v *benchmark.Version) { v.Items[0].Target = "" }, "no target"},
		{"one choice", func(v *benchmark.Version) { v.Scorer.Kind = "choice" }, "fewer than two choices"},
		{"target not a choice", func(v *benchmark.Version) {
			v.Scorer.Kind = "choice"
			v.Items[0].Choices = []string{"Rome", "Lyon"}
		}, "the target is not one of the choices"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := version()
			c.change(&v)
			require.ErrorContains(t, v.Validate(), c.want)
		})
	}
}
