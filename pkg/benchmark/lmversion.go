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
	found := collector{name: dataName(data), defaults: defaults}
	scanner := bufio.NewScanner(data)
	scanner.Buffer(make([]byte, 64<<10), maxItemLine)
	line := 1
	for ; scanner.Scan(); line++ {
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		item, err := render(scanner.Bytes())
		if err != nil {
			found.reject(line, errs.New(errs.Invalid, "%w", err).Mend("check the field names in %s", t.file))
			continue
		}
		found.add(line, item)
	}
	if err := scanner.Err(); err != nil {
		found.reject(line, scanProblem(err))
	}
	return found.items, found.problems
}

// dataName is the path of opened data, for its problems.
func dataName(data io.Reader) string {
	if named, ok := data.(interface{ Name() string }); ok {
		return named.Name()
	}
	return "data"
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

// choices gives the choices of a row: a list of texts, a list of fields, or one field that holds a list.
func (t *lmTask) choices() func(doc map[string]any) ([]string, error) {
	node := t.keys["doc_to_choice"]
	if node == nil {
		return nil
	}
	var list []string
	if node.Kind == yaml.SequenceNode && node.Decode(&list) == nil {
		return func(map[string]any) ([]string, error) { return list, nil }
	}
	expression := strings.TrimSpace(strings.Trim(strings.TrimSpace(node.Value), "{}"))
	if fields, ok := fieldList(expression); ok {
		return fields
	}
	path, ok := fieldPath(expression)
	if !ok {
		t.problem(node, "use a list, [field, field], or one field such as {{choices.text}}", "doc_to_choice is more than a field")
	}
	return func(doc map[string]any) ([]string, error) { return lookupList(doc, path) }
}

// fieldList reads "[sol1, sol2]": one choice from each field.
func fieldList(s string) (func(doc map[string]any) ([]string, error), bool) {
	if !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return nil, false
	}
	var fields template
	for _, name := range strings.Split(s[1:len(s)-1], ",") {
		part, err := parseExpression(strings.TrimSpace(name))
		if err != nil || part.index != nil {
			return nil, false
		}
		fields = append(fields, part)
	}
	return func(doc map[string]any) ([]string, error) {
		out := make([]string, len(fields))
		for i, field := range fields {
			var err error
			if out[i], err = (template{field}).render(doc); err != nil {
				return nil, err
			}
		}
		return out, nil
	}, true
}

func renderItem(doc map[string]any, text, target template, choices func(map[string]any) ([]string, error)) (it Item, err error) {
	if it.Input, err = text.render(doc); err != nil {
		return it, err
	}
	if id, err := lookup(doc, []string{"id"}); err == nil {
		it.ID = plain(id)
	}
	if choices == nil {
		return it, it.setTargets(doc, target)
	}
	if it.Target, err = target.render(doc); err != nil {
		return it, err
	}
	if it.Choices, err = choices(doc); err != nil {
		return it, err
	}
	if i, err := strconv.Atoi(it.Target); err == nil && !slices.Contains(it.Choices, it.Target) && i >= 0 && i < len(it.Choices) {
		it.Target = it.Choices[i] // lm-eval's target may be the choice's number
	}
	return it, nil
}

// setTargets takes a field that holds a list as targets any of which is right, as lm-eval does.
func (it *Item) setTargets(doc map[string]any, target template) (err error) {
	if path, ok := target.field(); ok {
		if list, err := lookupList(doc, path); err == nil {
			it.Targets = list
			return nil
		}
	}
	it.Target, err = target.render(doc)
	return err
}
