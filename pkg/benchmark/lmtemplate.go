package benchmark

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// template is the declarative part of Jinja: text with {{field}}, {{field.sub}}, {{field[0]}} and the filters
// trim, lower and upper. Statements, calls and operators are refused.
type template []templatePart

type templatePart struct {
	text    string
	path    []string // nil for plain text
	filters []string
}

var (
	fieldPattern  = regexp.MustCompile(`^[A-Za-z_]\w*(\.\w+|\[\d+\]|\['[^']*'\]|\["[^"]*"\])*$`)
	stepPattern   = regexp.MustCompile(`\w+|'[^']*'|"[^"]*"`)
	templateCalls = map[string]func(string) string{"trim": strings.TrimSpace, "lower": strings.ToLower, "upper": strings.ToUpper}
)

// parseTemplate reads a template; a lone field name without braces means that field, as in lm-eval.
func parseTemplate(s string) (template, error) {
	if !strings.Contains(s, "{") && fieldPattern.MatchString(s) {
		path, _ := fieldPath(s)
		return template{{path: path}}, nil
	}
	if strings.Contains(s, "{%") || strings.Contains(s, "{#") {
		return nil, fmt.Errorf("a Jinja statement is code")
	}
	var out template
	for {
		before, rest, found := strings.Cut(s, "{{")
		out = append(out, templatePart{text: before})
		if !found {
			return out, nil
		}
		expression, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, fmt.Errorf("{{ is not closed")
		}
		part, err := parseExpression(expression)
		if err != nil {
			return nil, err
		}
		out, s = append(out, part), after
	}
}

func parseExpression(s string) (templatePart, error) {
	pieces := strings.Split(s, "|")
	path, ok := fieldPath(strings.TrimSpace(pieces[0]))
	if !ok {
		return templatePart{}, fmt.Errorf("{{%s}} is more than a field", s)
	}
	part := templatePart{path: path}
	for _, filter := range pieces[1:] {
		filter = strings.TrimSpace(filter)
		if templateCalls[filter] == nil {
			return part, fmt.Errorf("the filter %q is not known", filter)
		}
		part.filters = append(part.filters, filter)
	}
	return part, nil
}

// fieldPath splits doc.answers[0] into steps; a leading "doc" is lm-eval's name of the row.
func fieldPath(s string) ([]string, bool) {
	if !fieldPattern.MatchString(s) {
		return nil, false
	}
	steps := stepPattern.FindAllString(s, -1)
	for i := range steps {
		steps[i] = strings.Trim(steps[i], `'"`)
		if strings.HasPrefix(steps[i], "__") {
			return nil, false
		}
	}
	if len(steps) > 1 && steps[0] == "doc" {
		steps = steps[1:]
	}
	return steps, true
}

func (t template) render(doc map[string]any) (string, error) {
	var out strings.Builder
	for _, part := range t {
		if part.path == nil {
			out.WriteString(part.text)
			continue
		}
		value, err := lookup(doc, part.path)
		if err != nil {
			return "", err
		}
		text := plain(value)
		for _, filter := range part.filters {
			text = templateCalls[filter](text)
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

func lookup(doc map[string]any, path []string) (any, error) {
	var at any = doc
	for _, step := range path {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return nil, fmt.Errorf("no entry %s in %s", step, strings.Join(path, "."))
			}
			at = v[i]
		default:
			at = nil
		}
		if at == nil {
			return nil, fmt.Errorf("no field %s", strings.Join(path, "."))
		}
	}
	return at, nil
}

func lookupList(doc map[string]any, path []string) ([]string, error) {
	value, err := lookup(doc, path)
	if err != nil {
		return nil, err
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not a list", strings.Join(path, "."))
	}
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = plain(v)
	}
	return out, nil
}

// plain writes a value as Jinja would for texts and numbers, and as JSON otherwise.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	out, _ := json.Marshal(v) // it came from JSON
	return string(out)
}
