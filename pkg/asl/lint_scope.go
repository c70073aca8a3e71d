package asl

import (
	"fmt"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

func (l *linter) choices(o *tree, at string, before assigned) {
	choices := o.get("Choices")
	if choices == nil {
		l.refuse(at, "These fields are required: [Choices]")
		return
	}
	if choices.kind != "array" || len(choices.items) == 0 {
		l.refuse(at+"/Choices", "Value cannot be empty")
		return
	}
	seen := map[string]string{}
	for i, c := range choices.items {
		here := fmt.Sprintf("%s/Choices[%d]", at, i)
		l.choice(c, here, before)
		l.deadChoice(c, here, seen)
	}
	if first := seen["true"]; first != "" && o.has("Default") {
		l.add(SeverityWarning, CodeDeadBranch, at+"/Default", "never taken: %s always holds", first)
	}
}

func (l *linter) choice(c *tree, at string, before assigned) {
	if c.kind != "object" {
		l.refuse(at, "Value is not an object")
		return
	}
	if missing := c.missing("Condition", "Next"); len(missing) > 0 {
		l.refuse(at, "These fields are required: %s", list(missing))
	}
	l.fields(c, at, []string{"Condition", "Next", "Output", "Assign", "Comment"})
	l.kind(c.get("Next"), at+"/Next", "string")
	l.expressionOr(c.get("Condition"), at+"/Condition", "boolean", before)
	l.template(c.get("Output"), at+"/Output", before, allow{})
	l.assign(c.get("Assign"), at+"/Assign", before, allow{})
}

// deadChoice finds rules that an earlier rule hides.
func (l *linter) deadChoice(c *tree, at string, seen map[string]string) {
	condition := c.get("Condition")
	if condition == nil {
		return
	}
	key := string(condition.raw)
	if source := condition.str(); source != "" {
		key = jsonata.Source(source)
	}
	for _, hiding := range []string{"true", key} {
		if first := seen[hiding]; first != "" {
			l.add(SeverityWarning, CodeDeadBranch, at, "never taken: %s comes first", first)
			return
		}
	}
	if key == "false" {
		l.add(SeverityWarning, CodeDeadBranch, at, "never taken: the condition is always false")
	}
	seen[key] = at
}

func (l *linter) branches(o *tree, at string, before assigned) {
	branches := o.get("Branches")
	if branches == nil {
		l.refuse(at, "These fields are required: [Branches]")
		return
	}
	if branches.kind != "array" || len(branches.items) == 0 {
		l.refuse(at+"/Branches", "Value cannot be empty")
		return
	}
	for i, b := range branches.items {
		here := fmt.Sprintf("%s/Branches[%d]", at, i)
		l.fields(b, here, []string{"StartAt", "States", "Comment"})
		l.scope(b, here, before.outer())
	}
}

func (l *linter) mapState(o *tree, at string, before assigned) {
	p := o.get("ItemProcessor")
	if p == nil {
		l.refuse(at, "These fields are required: [ItemProcessor]")
		return
	}
	for _, distributed := range []string{"ItemReader", "ResultWriter", "Label"} {
		if o.has(distributed) {
			l.add(SeverityError, CodeUnsupported, at+"/"+distributed, "%s needs distributed mode, which is not supported", distributed)
		}
	}
	l.expressionOr(o.get("Items"), at+"/Items", "array", before)
	if items := o.get("Items"); items != nil && items.kind == "array" {
		l.template(items, at+"/Items", before, allow{})
	}
	if selector := o.get("ItemSelector"); selector != nil && selector.kind != "object" && !jsonata.IsExpression(selector.str()) {
		l.refuse(at+"/ItemSelector", "Value is not an object or a JSONata expression")
	}
	l.template(o.get("ItemSelector"), at+"/ItemSelector", before, allow{})
	l.number(o.get("MaxConcurrency"), at+"/MaxConcurrency", 0, 40000, before)
	l.number(o.get("ToleratedFailureCount"), at+"/ToleratedFailureCount", 0, maxSeconds, before)
	l.percentage(o.get("ToleratedFailurePercentage"), at+"/ToleratedFailurePercentage", before)
	l.batcher(o.get("ItemBatcher"), at+"/ItemBatcher", before)
	l.processor(p, at+"/ItemProcessor", before)
}

func (l *linter) percentage(v *tree, at string, before assigned) {
	if v != nil && v.kind == "number" {
		l.wholeNumber(v, at, 0, 100, true)
		return
	}
	l.expressionOr(v, at, "number", before)
}

func (l *linter) batcher(b *tree, at string, before assigned) {
	if b == nil {
		return
	}
	l.fields(b, at, []string{"MaxItemsPerBatch", "MaxInputBytesPerBatch", "BatchInput"})
	if !b.has("MaxItemsPerBatch") && !b.has("MaxInputBytesPerBatch") {
		l.refuse(at, "At least one of these fields is required: [MaxItemsPerBatch, MaxInputBytesPerBatch]")
	}
	l.number(b.get("MaxItemsPerBatch"), at+"/MaxItemsPerBatch", 1, maxSeconds, before)
	l.number(b.get("MaxInputBytesPerBatch"), at+"/MaxInputBytesPerBatch", 1, maxPayload, before)
	l.template(b.get("BatchInput"), at+"/BatchInput", before, allow{})
}

func (l *linter) processor(p *tree, at string, before assigned) {
	l.fields(p, at, []string{"StartAt", "States", "Comment", "ProcessorConfig"})
	l.processorConfig(p.get("ProcessorConfig"), at+"/ProcessorConfig")
	l.scope(p, at, before.outer())
}

func (l *linter) processorConfig(c *tree, at string) {
	l.kind(c, at, "object")
	if c == nil || c.kind != "object" {
		return
	}
	l.oneOf(c, at, "Mode", "INLINE", "DISTRIBUTED")
	if c.text("Mode") == "DISTRIBUTED" {
		l.add(SeverityError, CodeUnsupported, at+"/Mode", "distributed mode is not supported: use INLINE")
		return
	}
	l.fields(c, at, []string{"Mode"})
}
