package benchmark

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// template is the declarative part of Jinja: text with {{field}}, {{field.sub}}, {{field[0]}}, the place of a value
// in a list, {{list.index(field)}}, and what trims or changes case, as filter or method. Statements, other calls and
// operators are refused.
type template []templatePart

type templatePart struct {
	text    string
	path    []string // nil for plain text
	filters []string
	index   []string // the field whose place in the list at path is meant; nil for most
}

var (
	fieldPattern  = regexp.MustCompile(`^[A-Za-z_]\w*(\.\w+|\[\d+\]|\['[^']*'\]|\["[^"]*"\])*$`)
	stepPattern   = regexp.MustCompile(`\w+|'[^']*'|"[^"]*"`)
	indexPattern  = regexp.MustCompile(`^(.+)\.index\((.+)\)$`)
	methodPattern = regexp.MustCompile(`^(.+)\.(strip|lstrip|rstrip|lower|upper)\(\)$`)
	templateCalls = map[string]func(string) string{"trim": strings.TrimSpace, "strip": strings.TrimSpace,
		"lstrip": func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) },
		"rstrip": func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) },
		"lower":  strings.ToLower, "upper": strings.ToUpper}
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
	part, ok := parseField(strings.TrimSpace(pieces[0]))
	if !ok {
		return part, fmt.Errorf("{{%s}} is more than a field", s)
	}
	for _, filter := range pieces[1:] {
		filter = strings.TrimSpace(filter)
		if templateCalls[filter] == nil {
			return part, fmt.Errorf("the filter %q is not known", filter)
		}
		part.filters = append(part.filters, filter)
	}
	return part, nil
}

// parseField reads a field, with methods that trim or change case, or the place of one field in another.
func parseField(s string) (part templatePart, ok bool) {
	if call := indexPattern.FindStringSubmatch(s); call != nil {
		value, ok := parseField(call[2])
		list, isField := fieldPath(call[1])
		return templatePart{path: list, index: value.path, filters: value.filters}, ok && isField && value.index == nil
	}
	if call := methodPattern.FindStringSubmatch(s); call != nil {
		part, ok = parseField(call[1])
		part.filters = append(part.filters, call[2])
		return part, ok && part.index == nil
	}
	part.path, ok = fieldPath(s)
	return part, ok
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
		text, err := part.render(doc)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

func (p templatePart) render(doc map[string]any) (string, error) {
	from := p.path
	if p.index != nil {
		from = p.index
	}
	value, err := lookup(doc, from)
	if err != nil {
		return "", err
	}
	text := plain(value)
	for _, filter := range p.filters {
		text = templateCalls[filter](text)
	}
	if p.index == nil {
		return text, nil
	}
	list, err := lookupList(doc, p.path)
	if err != nil {
		return "", err
	}
	i := slices.Index(list, text)
	if i < 0 {
		return "", fmt.Errorf("%q is not in %s", text, strings.Join(p.path, "."))
	}
	return strconv.Itoa(i), nil
}

// field gives the path of a template that is one field and nothing else.
func (t template) field() ([]string, bool) {
	var path []string
	for _, part := range t {
		switch {
		case part.path == nil && part.text == "":
		case path != nil || part.path == nil || part.index != nil || len(part.filters) > 0:
			return nil, false
		default:
			path = part.path
		}
	}
	return path, path != nil
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
