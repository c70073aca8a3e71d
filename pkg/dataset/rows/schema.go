package rows

import (
	"strconv"
	"strings"
)

// TagNames are the fields beside the content that are kept as tags of a row, in their order of output.
var TagNames = []string{"language", "topic", "eventTime", "author", "ref"}

// mostTag is the largest tag in bytes.
const mostTag = 256

func isTag(name string) bool {
	for _, t := range TagNames {
		if t == name {
			return true
		}
	}
	return false
}

// ours are fields that published rows and quarantine files carry; a file made from one may be
// uploaded again without editing them out.
func ours(name string) bool {
	return name == "id" || name == "meta" || name == "error" || name == "line"
}

func schemaProblem(pointer, expected, found string) *Problem {
	return &Problem{Rule: RuleSchema, Pointer: pointer, Expected: expected, Found: found}
}

const anySchema = `"messages", or "prompt" and "completion", or "text"`

// rowOf checks a parsed value against the schemas and gives the row with the names of unused fields.
func rowOf(v *value) (Row, []string, *Problem) {
	if v.kind != kindObject {
		return Row{}, nil, schemaProblem("", "an object with "+anySchema, v.kind.String())
	}
	if inner := v.get("row"); inner != nil && v.get("error") != nil {
		if inner.kind == kindObject {
			return rowOf(inner)
		}
		return Row{}, nil, schemaProblem("/row", "the mended row as an object", inner.kind.String())
	}
	row, bad := content(v)
	if bad != nil {
		return row, nil, bad
	}
	unused := row.takeTags(v)
	return row, unused, nil
}

func content(v *value) (Row, *Problem) {
	messages, prompt, completion, text := v.get("messages"), v.get("prompt"), v.get("completion"), v.get("text")
	switch pair := prompt != nil || completion != nil; {
	case messages != nil && (pair || text != nil) || pair && text != nil:
		return Row{}, schemaProblem("", "only one of "+anySchema, "several of them")
	case messages != nil:
		return chatRow(messages)
	case pair:
		return pairRow(prompt, completion)
	case text != nil:
		return textRow(text)
	}
	return Row{}, schemaProblem("", anySchema, fieldNames(v))
}

func fieldNames(v *value) string {
	if len(v.members) == 0 {
		return "no fields"
	}
	names := make([]string, 0, 5)
	for _, m := range v.members[:min(len(v.members), 5)] {
		names = append(names, strconv.Quote(m.name[:min(len(m.name), 30)]))
	}
	return "only " + strings.Join(names, ", ")
}

// text gives a field that must be a string with something in it.
func (v *value) text(pointer, emptyRule string) (string, *Problem) {
	if v == nil {
		return "", schemaProblem(pointer, "a string", "no such field")
	}
	if v.kind != kindString {
		return "", schemaProblem(pointer, "a string", v.kind.String())
	}
	if strings.TrimSpace(v.str) == "" {
		return "", &Problem{Rule: emptyRule, Pointer: pointer, Expected: "some text", Found: found([]byte(v.str))}
	}
	return v.str, nil
}

func pairRow(prompt, completion *value) (row Row, bad *Problem) {
	row.Kind = Completion
	if row.Prompt, bad = prompt.text("/prompt", RuleEmptyPrompt); bad != nil {
		return row, bad
	}
	row.Completion, bad = completion.text("/completion", RuleEmptyAnswer)
	return row, bad
}

func textRow(text *value) (row Row, bad *Problem) {
	row.Kind = Plain
	row.Text, bad = text.text("/text", RuleEmptyText)
	return row, bad
}

func chatRow(v *value) (Row, *Problem) {
	if v.kind != kindArray || len(v.items) == 0 {
		return Row{}, schemaProblem("/messages", "a list of messages", v.kind.String()+" of "+strconv.Itoa(len(v.items)))
	}
	row := Row{Kind: Chat, Messages: make([]Message, len(v.items))}
	for i := range v.items {
		m, bad := message(&v.items[i], i)
		if bad != nil {
			bad.Pointer = "/messages/" + strconv.Itoa(i) + bad.Pointer
			return row, bad
		}
		row.Messages[i] = m
	}
	return row, checkTurns(row.Messages)
}

// checkTurns wants a question before an answer at the end.
func checkTurns(ms []Message) *Problem {
	last := len(ms) - 1
	if ms[last].Role != Assistant {
		return schemaProblem("/messages/"+strconv.Itoa(last)+"/role", "the last message from the assistant", strconv.Quote(ms[last].Role))
	}
	for _, m := range ms[:last] {
		if m.Role == User {
			return nil
		}
	}
	return schemaProblem("/messages", "a user message before the assistant's", "none")
}

// message checks one message. Pointers are relative to it.
func message(v *value, index int) (m Message, bad *Problem) {
	if v.kind != kindObject {
		return m, schemaProblem("", "an object with role and content", v.kind.String())
	}
	for _, f := range v.members {
		if f.name != "role" && f.name != "content" {
			return m, schemaProblem("/"+pointerToken(f.name), "only role and content", "another field")
		}
	}
	if m.Role, bad = role(v.get("role"), index); bad != nil {
		return m, bad
	}
	rule := RuleEmptyPrompt
	if m.Role == Assistant {
		rule = RuleEmptyAnswer
	}
	m.Content, bad = v.get("content").text("/content", rule)
	return m, bad
}

func role(v *value, index int) (string, *Problem) {
	const at, roles = "/role", "system, user or assistant"
	if v == nil || v.kind != kindString {
		return "", schemaProblem(at, roles, "no role")
	}
	switch {
	case v.str == System && index > 0:
		return "", schemaProblem(at, "the system message first", "it at place "+strconv.Itoa(index+1))
	case v.str == System, v.str == User, v.str == Assistant:
		return v.str, nil
	}
	return "", schemaProblem(at, roles, found([]byte(v.str)))
}

// pointerToken escapes a field name for a JSON pointer (RFC 6901).
func pointerToken(name string) string {
	if len(name) > 60 {
		name = name[:60]
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(strings.ToValidUTF8(name, "�"))
}

// takeTags keeps the known tags and gives the names of fields that are not used.
func (r *Row) takeTags(v *value) (unused []string) {
	for _, m := range v.members {
		switch {
		case isTag(m.name) && m.value.kind == kindString:
			r.tag(m.name, m.value.str)
		case !ours(m.name) && !isContent(m.name):
			unused = append(unused, m.name)
		}
	}
	return unused
}

func isContent(name string) bool {
	return name == "messages" || name == "prompt" || name == "completion" || name == "text"
}

func (r *Row) tag(name, s string) {
	if s == "" || len(s) > mostTag {
		return
	}
	if r.Tags == nil {
		r.Tags = map[string]string{}
	}
	r.Tags[name] = s
}
