package asl

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

var substitution = regexp.MustCompile(`\$\{([A-Za-z0-9_.]+)\}`)

// Substitutions lists the names of the ${Name} placeholders in a definition, sorted, each once.
func Substitutions(definition []byte) []string {
	var names []string
	for _, m := range substitution.FindAllSubmatch(definition, -1) {
		names = append(names, string(m[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Substitute replaces ${Name} as CloudFormation's DefinitionSubstitutions does: plain text, escaped for
// a JSON string. It fails if a placeholder has no value.
func Substitute(definition []byte, values map[string]string) (json.RawMessage, error) {
	var missing []string
	out := substitution.ReplaceAllFunc(definition, func(m []byte) []byte {
		name := string(m[2 : len(m)-1])
		v, ok := values[name]
		if !ok {
			missing = append(missing, name)
			return m
		}
		quoted := marshal(v)
		return quoted[1 : len(quoted)-1]
	})
	if len(missing) > 0 {
		slices.Sort(missing)
		return nil, errs.New(errs.Invalid, "substitutions without a value: %s", strings.Join(slices.Compact(missing), ", ")).Mend("provide a value for each ${Name} in the definition")
	}
	return out, nil
}
