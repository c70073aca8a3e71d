package benchmark

import (
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Differences names the parts in which two versions differ, sorted; none means equal locks.
func Differences(a, b Version) []string {
	var out []string
	other := b.Parts()
	for part, digest := range a.Parts() {
		if other[part] != digest {
			out = append(out, part)
		}
	}
	slices.Sort(out)
	return out
}

// Comparable refuses to compare results under unequal locks, naming the difference and what to rerun.
func Comparable(incumbent, candidate Version) error {
	differ := Differences(incumbent, candidate)
	if len(differ) == 0 {
		return nil
	}
	return errs.New(errs.Precondition, "results of %s and %s cannot be compared: %s differ",
		incumbent, candidate, strings.Join(differ, ", ")).
		At(candidate.Name).
		Mend("evaluate the incumbent again under lock %s", ShortLock(candidate.Lock()))
}
