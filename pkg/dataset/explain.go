package dataset

import "github.com/perennial-llm/perennial/pkg/dataset/rows"

// explanation says what a rule wants, and how to mend what breaks it.
type explanation struct{ title, hint string }

var explanations = map[string]explanation{
	rows.RuleSyntax:       {"not valid JSON", "put one whole JSON object on each line"},
	rows.RuleDuplicateKey: {"a field stands twice", "keep one of them"},
	rows.RuleDepth:        {"nested too deeply", "rows need no nesting beyond messages"},
	rows.RuleNumber:       {"a number out of range", "write it as a string or leave it out"},
	rows.RuleQuote:        {"quotes do not pair up", `put the field in double quotes and double the quotes inside: "say ""hi"""`},
	rows.RuleColumns:      {"wrong number of fields", "quote fields that hold the delimiter or a line break"},
	rows.RuleHeader:       {"no known columns", "name the columns prompt and completion, or text, in the first line"},
	rows.RuleSchema:       {"not a known kind of row", `use {"messages": […]}, {"prompt": …, "completion": …} or {"text": …}`},
	rows.RuleEmptyPrompt:  {"nothing to answer", "write the question, or leave the row out"},
	rows.RuleEmptyAnswer:  {"nothing to learn", "write the answer, or leave the row out"},
	rows.RuleEmptyText:    {"empty text", "leave the row out"},
	rows.RuleTooLong:      {"row too long", "split it"},
	rows.RuleUTF8:         {"not UTF-8", "save the file as UTF-8"},
	rows.RuleNUL:          {"a NUL character", "remove it"},
	rows.RuleHidden:       {"hidden characters", "see that nobody hid text in the row; the row was kept"},
	rows.RuleUnknownField: {"a field that is not used", "rename it if it was meant; it was left out"},
	rows.RuleEmptyFile:    {"no rows", "send the file again"},
	rows.RuleFormat:       {"a format that cannot be read", "send JSONL, CSV, text or Markdown; plain, gzip or zstd"},
	rows.RuleTooLarge:     {"file too large", "split it"},
	rows.RuleRatio:        {"expands suspiciously much", "send it uncompressed"},
	rows.RuleDamaged:      {"damaged compression", "compress and send it again; what came before the damage was read"},
	RuleOverlap:           {"overlaps a benchmark item", "leave the row out: a model that has learned the test cannot be tested"},
	RuleDuplicate:         {"the same row again", "nothing to do; the first one counts"},
}

// explain gives a group its words.
func (g *ErrorGroup) explain() {
	e, ok := explanations[g.Rule]
	if !ok {
		e.title = g.Rule
	}
	g.Title, g.Hint = e.title, e.hint
}
