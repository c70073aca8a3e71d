package benchmark

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// maxYAML bounds a task file.
const maxYAML = 1 << 20

// ReadLMEval reads the declarative part of an lm-evaluation-harness task: templates of plain fields over a
// JSON Lines file. Anything that is code (!function, custom datasets, classes, Jinja statements) is refused:
// an imported file never runs. openData opens the file named under dataset_kwargs.data_files for the test
// split, or whatever the caller prefers. Problems carry "name:line".
func ReadLMEval(name string, r io.Reader, openData func(path string) (io.ReadCloser, error), defaults Defaults) (Version, []*errs.Error) {
	task, problems := parseTask(name, r)
	if len(problems) > 0 {
		return Version{}, problems
	}
	version := task.version()
	defaults.Scorer = &version.Scorer
	file, err := openData(task.dataFile())
	if err != nil {
		return version, []*errs.Error{errs.New(errs.NotFound, "the data cannot be opened: %w", err).
			At(task.at("dataset_path")).Mend("fetch the data and name the JSON Lines file")}
	}
	defer file.Close()
	version.Items, problems = task.items(file, defaults)
	return version, problems
}

// lmTask is a task file: the nodes of its top-level keys, with their lines.
type lmTask struct {
	file     string
	keys     map[string]*yaml.Node
	problems []*errs.Error
}

// The keys of a task: those that shape items and scores, and those that do not matter to them.
var (
	lmKeys = []string{"task", "dataset_path", "dataset_name", "dataset_kwargs", "test_split", "validation_split",
		"doc_to_text", "doc_to_target", "doc_to_choice", "output_type", "generation_kwargs", "metric_list", "num_fewshot",
		"description", "filter_list", "target_delimiter"}
	lmIgnored = []string{"tag", "group", "group_alias", "metadata", "task_alias", "training_split", "fewshot_split", "should_decontaminate",
		"doc_to_decontamination_query", "fewshot_delimiter", "repeats", "template_aliases"}
	lmCode = []string{"class", "custom_dataset", "process_docs", "process_results", "unsafe_code", "fewshot_config", "include"}
)

func parseTask(name string, r io.Reader) (*lmTask, []*errs.Error) {
	t := &lmTask{file: name, keys: map[string]*yaml.Node{}}
	content, err := io.ReadAll(io.LimitReader(r, maxYAML+1))
	if err != nil || len(content) > maxYAML {
		return t, []*errs.Error{errs.New(errs.Invalid, "the file cannot be read or is larger than %d MiB", maxYAML>>20).At(name)}
	}
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&document); err != nil {
		return t, []*errs.Error{errs.New(errs.Invalid, "not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: ")).At(name)}
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return t, []*errs.Error{errs.New(errs.Invalid, "not a task: a mapping is expected").At(name + ":1")}
	}
	t.refuseCode(&document)
	t.readKeys(document.Content[0])
	if node := t.keys["task"]; node != nil && node.Kind == yaml.SequenceNode {
		t.problem(node, "import the files of its tasks one by one", "a group of tasks has no items of its own")
	}
	if len(t.problems) == 0 {
		t.require()
		t.refuseUnscored()
	}
	return t, t.problems
}

func (t *lmTask) problem(node *yaml.Node, hint, format string, args ...any) {
	t.problems = append(t.problems, errs.New(errs.Invalid, format, args...).At(fmt.Sprintf("%s:%d", t.file, node.Line)).Mend("%s", hint))
}

// plainTags are the tags of data.
var plainTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp"}

// refuseCode walks all nodes for tags that name code and for aliases, which can grow without bound.
func (t *lmTask) refuseCode(node *yaml.Node) {
	switch {
	case node.Kind == yaml.AliasNode:
		t.problem(node, "write the value out", "aliases are not read")
		return
	case node.Kind != yaml.DocumentNode && !slices.Contains(plainTags, node.ShortTag()):
		t.problem(node, "an imported file never runs code: write the item's fields into the data instead", "%s is code", node.Tag)
	}
	for _, child := range node.Content {
		t.refuseCode(child)
	}
}

func (t *lmTask) readKeys(mapping *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		switch {
		case slices.Contains(lmCode, key.Value):
			t.problem(key, "only the declarative part of a task is imported", "%s runs or includes code", key.Value)
		case slices.Contains(lmKeys, key.Value):
			t.keys[key.Value] = value
		case !slices.Contains(lmIgnored, key.Value):
			t.problem(key, "remove it, or run the task through the harness", "the key %s is not known", key.Value)
		}
	}
}

func (t *lmTask) require() {
	for _, key := range []string{"task", "output_type", "doc_to_text", "doc_to_target"} {
		if t.keys[key] == nil {
			t.problems = append(t.problems, errs.New(errs.Invalid, "no %s", key).At(t.file+":1").Mend("add %s", key))
		}
	}
	if node := t.keys["num_fewshot"]; node != nil && node.Value != "0" {
		t.problem(node, "set it to 0, or run the task through the harness", "few-shot examples are not rendered")
	}
	t.requireOutput()
}

// requireOutput wants a known kind of answer, with its choices.
func (t *lmTask) requireOutput() {
	if t.keys["output_type"] != nil && !slices.Contains([]string{"multiple_choice", "generate_until"}, t.text("output_type")) {
		t.problem(t.keys["output_type"], "use multiple_choice or generate_until, or run the task through the harness",
			"the output type %s is not imported", t.text("output_type"))
	}
	if t.keys["output_type"] != nil && t.text("output_type") == "multiple_choice" && t.keys["doc_to_choice"] == nil {
		t.problems = append(t.problems, errs.New(errs.Invalid, "no doc_to_choice").At(t.file+":1").Mend("add doc_to_choice"))
	}
}

// text gives a scalar key's value, "" when absent.
func (t *lmTask) text(key string) string {
	if node := t.keys[key]; node != nil && node.Kind == yaml.ScalarNode {
		return node.Value
	}
	return ""
}

// at gives the place of a key.
func (t *lmTask) at(key string) string {
	if node := t.keys[key]; node != nil {
		return fmt.Sprintf("%s:%d", t.file, node.Line)
	}
	return t.file
}

// dataFile is the file of the split that is evaluated; "" when the task names a hub dataset.
func (t *lmTask) dataFile() string {
	node := t.keys["dataset_kwargs"]
	if node == nil {
		return ""
	}
	var kwargs struct {
		DataFiles yaml.Node `yaml:"data_files"`
	}
	if err := node.Decode(&kwargs); err != nil {
		return ""
	}
	var path string
	if kwargs.DataFiles.Decode(&path) == nil {
		return path
	}
	var bySplit map[string]string
	if kwargs.DataFiles.Decode(&bySplit) != nil {
		return ""
	}
	for _, split := range []string{t.text("test_split"), t.text("validation_split"), "test", "validation"} {
		if bySplit[split] != "" {
			return bySplit[split]
		}
	}
	return ""
}
