package benchmark

import (
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Kinds lists the scorers that evaluate.py knows.
var Kinds = []string{"choice", "exact", "normalized_exact", "contains", "not_contains", "regex", "numeric",
	"token_f1", "rouge_l", "chrf", "bleu", "json_schema", "refusal", "latency", "cost", "llm_judge"}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// Validate checks a version built by code or read from a file; the error names the first problem.
func (v Version) Validate() error {
	if !namePattern.MatchString(v.Name) {
		return errs.New(errs.Invalid, "benchmark name %q is not usable", v.Name).
			Mend("use up to 64 lower-case letters, digits, dots, dashes and underscores")
	}
	if len(v.Items) == 0 {
		return errs.New(errs.Invalid, "benchmark %s has no items", v.Name).Mend("add at least one item")
	}
	if err := v.Scorer.Validate(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(v.Items))
	for i, it := range v.Items {
		if err := v.checkItem(it, seen); err != nil {
			return err.At(fmt.Sprintf("item %d (%s)", i+1, it.ID))
		}
		seen[it.ID] = true
	}
	return nil
}

func (v Version) checkItem(it Item, seen map[string]bool) *errs.Error {
	if seen[it.ID] {
		return errs.New(errs.Invalid, "the id %q is used twice", it.ID).Mend("give every item its own id")
	}
	return it.problem(v.Scorer)
}

// Validate checks that the kind exists and that a regex compiles in RE2.
func (s Scorer) Validate() error {
	if !slices.Contains(Kinds, s.Kind) {
		return errs.New(errs.Invalid, "scorer kind %q is not known", s.Kind).Mend("use one of %v", Kinds)
	}
	pattern, ok := s.Params["pattern"].(string)
	if !ok {
		return nil
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return errs.New(errs.Invalid, "the pattern does not compile: %w", err).At("scorer.params.pattern").
			Mend("use RE2 syntax: no look-around and no back-references")
	}
	return nil
}

// needsTarget lists the kinds that compare with a target.
var needsTarget = []string{"exact", "normalized_exact", "contains", "not_contains", "numeric", "token_f1",
	"rouge_l", "chrf", "bleu"}

func (it Item) problem(scorer Scorer) *errs.Error {
	switch {
	case it.ID == "":
		return errs.New(errs.Invalid, "no id").Mend(`add "id", unique within the file`)
	case it.Input == "" && len(it.Messages) == 0:
		return errs.New(errs.Invalid, "no question").Mend(`add "input" or "messages"`)
	case it.Input != "" && len(it.Messages) > 0:
		return errs.New(errs.Invalid, `both "input" and "messages"`).Mend("keep one of them")
	case it.Capability == "":
		return errs.New(errs.Invalid, "no capability").Mend(`add "capability", such as "knowledge"`)
	case !(it.Weight >= 0) || math.IsInf(it.Weight, 1):
		return errs.New(errs.Invalid, "the weight %v is not 0 or more", it.Weight).Mend("use a number from 0, such as 1")
	}
	return it.targetProblem(scorer)
}

func (it Item) targetProblem(scorer Scorer) *errs.Error {
	if slices.Contains(needsTarget, scorer.Kind) && len(it.Answers()) == 0 {
		return errs.New(errs.Invalid, "no target").Mend(`add "target" or "targets"`)
	}
	if scorer.Kind != "choice" {
		return nil
	}
	if len(it.Choices) < 2 {
		return errs.New(errs.Invalid, "fewer than two choices").Mend(`add "choices"`)
	}
	if !slices.Contains(it.Choices, it.Target) {
		return errs.New(errs.Invalid, "the target is not one of the choices").Mend("copy the right choice into target")
	}
	return nil
}
