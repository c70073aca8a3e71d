package benchmark

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/perennial-llm/perennial/pkg/errs"
)

var notInName = regexp.MustCompile(`[^a-z0-9._-]+`)

// version is the benchmark without its items.
func (t *lmTask) version() Version {
	v := Version{
		Name:     strings.Trim(notInName.ReplaceAllString(strings.ToLower(t.text("task")), "-"), "-._"),
		Scorer:   t.scorer(),
		Prompt:   Prompt{System: strings.TrimSpace(t.text("description"))},
		Decoding: t.decoding(),
		Title:    t.text("task"),
		Source:   t.text("dataset_path"),
	}
	return v
}

// scorer maps the first metric to ours.
func (t *lmTask) scorer() Scorer {
	var metrics []map[string]any
	if node := t.keys["metric_list"]; node != nil {
		_ = node.Decode(&metrics) // a list of another shape means the default metric
	}
	if t.text("output_type") == "multiple_choice" {
		return choiceScorer(metrics)
	}
	for _, m := range metrics {
		name, _ := m["metric"].(string)
		if kind := lmMetrics[name]; kind != "" {
			return Scorer{Kind: kind}.with(m)
		}
	}
	return Scorer{Kind: "exact"}
}

// choiceScorer keeps a first metric that is not the default: by the mean a character or a byte instead of the sum.
func choiceScorer(metrics []map[string]any) Scorer {
	if len(metrics) > 0 && (metrics[0]["metric"] == "acc_norm" || metrics[0]["metric"] == "acc_bytes") {
		return Scorer{Kind: "choice", Params: map[string]any{"metric": metrics[0]["metric"]}}
	}
	return Scorer{Kind: "choice"}
}

var lmMetrics = map[string]string{"exact_match": "exact", "f1": "token_f1", "rougeL": "rouge_l", "bleu": "bleu", "chrf": "chrf"}

// with turns "exact" into "normalized_exact" when the metric ignores case or punctuation.
func (s Scorer) with(metric map[string]any) Scorer {
	if s.Kind == "exact" && (metric["ignore_case"] == true || metric["ignore_punctuation"] == true) {
		s.Kind = "normalized_exact"
	}
	return s
}

func (t *lmTask) decoding() Decoding {
	d := Decoding{MaxTokens: 256}
	var kwargs struct {
		Max         int       `yaml:"max_gen_toks"`
		Temperature float64   `yaml:"temperature"`
		Until       yaml.Node `yaml:"until"`
	}
	if node := t.keys["generation_kwargs"]; node != nil {
		_ = node.Decode(&kwargs) // what does not fit keeps its default
	}
	if kwargs.Max > 0 {
		d.MaxTokens = kwargs.Max
	}
	d.Temperature = kwargs.Temperature
	if kwargs.Until.Decode(&d.Stop) != nil {
		d.Stop = nil
	}
	if t.text("output_type") == "multiple_choice" {
		d = Decoding{MaxTokens: 1}
	}
	return d
}

// items renders every row of the data.
func (t *lmTask) items(data io.Reader, defaults Defaults) ([]Item, []*errs.Error) {
	render, problems := t.templates()
	if len(problems) > 0 {
		return nil, problems
	}
	var items []Item
	scanner := bufio.NewScanner(data)
	scanner.Buffer(make([]byte, 64<<10), maxItemLine)
	for line := 1; scanner.Scan(); line++ {
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		item, err := render(scanner.Bytes())
		if err != nil {
			problems = append(problems, errs.New(errs.Invalid, "%w", err).At(fmt.Sprintf("data:%d", line)).
				Mend("check the field names in %s", t.file))
			continue
		}
		items = append(items, defaults.fill(item, line))
	}
	if err := scanner.Err(); err != nil {
		problems = append(problems, scanProblem(err).At("data"))
	}
	return items, problems
}

func (t *lmTask) templates() (func(row []byte) (Item, error), []*errs.Error) {
	text, err1 := parseTemplate(t.text("doc_to_text"))
	target, err2 := parseTemplate(t.text("doc_to_target"))
	for key, err := range map[string]error{"doc_to_text": err1, "doc_to_target": err2} {
		if err != nil {
			t.problem(t.keys[key], "use plain fields such as {{question}}", "%s: %w", key, err)
		}
	}
	choices := t.choices()
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	return func(row []byte) (Item, error) {
		var doc map[string]any
		decoder := json.NewDecoder(bytes.NewReader(row))
		decoder.UseNumber()
		if err := decoder.Decode(&doc); err != nil {
			return Item{}, fmt.Errorf("not a JSON object: %w", err)
		}
		return renderItem(doc, text, target, choices)
	}, nil
}

// choices gives the choices of a row: a list of templates, or one field that holds a list.
func (t *lmTask) choices() func(doc map[string]any) ([]string, error) {
	node := t.keys["doc_to_choice"]
	if node == nil {
		return nil
	}
	var list []string
	if node.Kind == yaml.SequenceNode && node.Decode(&list) == nil {
		return func(map[string]any) ([]string, error) { return list, nil }
	}
	path, ok := fieldPath(strings.TrimSpace(strings.Trim(strings.TrimSpace(node.Value), "{}")))
	if !ok {
		t.problem(node, "use a list, or one field such as {{choices.text}}", "doc_to_choice is more than a field")
	}
	return func(doc map[string]any) ([]string, error) { return lookupList(doc, path) }
}

func renderItem(doc map[string]any, text, target template, choices func(map[string]any) ([]string, error)) (it Item, err error) {
	if it.Input, err = text.render(doc); err != nil {
		return it, err
	}
	if it.Target, err = target.render(doc); err != nil {
		return it, err
	}
	if id, err := lookup(doc, []string{"id"}); err == nil {
		it.ID = plain(id)
	}
	if choices == nil {
		return it, nil
	}
	if it.Choices, err = choices(doc); err != nil {
		return it, err
	}
	if i, err := strconv.Atoi(it.Target); err == nil && !slices.Contains(it.Choices, it.Target) && i >= 0 && i < len(it.Choices) {
		it.Target = it.Choices[i] // lm-eval's target may be the choice's number
	}
	return it, nil
}
