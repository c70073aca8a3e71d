package benchmark

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// refuseUnscored names what changes scores in lm-eval and has no scorer here, rather than score otherwise in silence.
func (t *lmTask) refuseUnscored() {
	if t.text("output_type") == "generate_until" {
		t.refuseMetrics()
	}
	for _, function := range scalars(t.keys["filter_list"], "function") {
		if !slices.Contains(harmlessFilters, function.Value) {
			t.problem(function, "remove it, or run the task through the harness",
				"the filter %s is not applied", function.Value)
		}
	}
}

// harmlessFilters change nothing here: one answer is given, and white space around it is not compared.
var harmlessFilters = []string{"take_first", "remove_whitespace"}

func (t *lmTask) refuseMetrics() {
	names, known := scalars(t.keys["metric_list"], "metric"), false
	for _, name := range names {
		known = known || lmMetrics[name.Value] != ""
	}
	if len(names) > 0 && !known {
		t.problem(names[0], "use one of exact_match, f1, rougeL, bleu, chrf, or run the task through the harness",
			"the metric %s is not imported", names[0].Value)
	}
	for _, key := range nodesOf(t.keys["metric_list"], "regexes_to_ignore") {
		t.problem(key, "remove it, or run the task through the harness", "regexes_to_ignore is not applied")
	}
}

// scalars gives the scalar values of a key anywhere below a node.
func scalars(node *yaml.Node, key string) []*yaml.Node {
	return slices.DeleteFunc(nodesOf(node, key), func(n *yaml.Node) bool { return n.Kind != yaml.ScalarNode })
}

// nodesOf gives the values of a key anywhere below a node, in order.
func nodesOf(node *yaml.Node, key string) []*yaml.Node {
	if node == nil {
		return nil
	}
	var out []*yaml.Node
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 && node.Content[i-1].Value == key {
			out = append(out, child)
		}
		out = append(out, nodesOf(child, key)...)
	}
	return out
}
