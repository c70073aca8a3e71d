package benchmark

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Differences names the parts in which two versions differ, sorted; none means equal locks.
func Differences(a, b Version) []string { return DifferentParts(a.Parts(), b.Parts()) }

// DifferentParts compares the parts of two locks, as Version.Parts and LockParts give them; sorted.
func DifferentParts(a, b map[string]string) []string {
	var out []string
	for part := range a {
		if a[part] != b[part] {
			out = append(out, part)
		}
	}
	for part := range b {
		if _, both := a[part]; !both {
			out = append(out, part)
		}
	}
	slices.Sort(out)
	return out
}

// LockParts reads the parts out of a lock that is not a digest over all of them: training/evaluate.py locks tasks of
// lm-eval as "lm-eval/VERSION:TASK" and files of items as "file:SCORER:DIGEST". It gives nil for any other lock.
func LockParts(lock string) map[string]string {
	head, rest, _ := strings.Cut(lock, ":")
	switch {
	case strings.HasPrefix(head, "lm-eval/"):
		return map[string]string{"harness": head, "items": rest}
	case head == "file":
		scorer, digest, _ := strings.Cut(rest, ":")
		return map[string]string{"scorer": scorer, "items": digest}
	}
	return nil
}

// partNames are the parts as people call them, where the name alone says too little.
var partNames = map[string]string{"prompt": "prompt or chat template", "harness": "harness version"}

// NameParts lists parts for a message, as in "items, prompt or chat template".
func NameParts(parts []string) string {
	names := make([]string, len(parts))
	for i, part := range parts {
		names[i] = part
		if name, ok := partNames[part]; ok {
			names[i] = name
		}
	}
	return strings.Join(names, ", ")
}

// Comparable refuses to compare results under unequal locks, naming the difference and what to rerun.
func Comparable(incumbent, candidate Version) error {
	differ := Differences(incumbent, candidate)
	if len(differ) == 0 {
		return nil
	}
	details := make([]string, len(differ))
	for i, part := range differ {
		details[i] = NameParts([]string{part}) + " " + detail(incumbent, candidate, part)
	}
	return errs.New(errs.Precondition, "results of %s and %s cannot be compared; they differ in %s",
		incumbent, candidate, strings.Join(details, "; ")).
		At(candidate.Name).
		Mend("evaluate the incumbent again under lock %s", ShortLock(candidate.Lock()))
}

// maxDetail bounds what a message quotes of one side.
const maxDetail = 120

// detail says how a part differs: counts for items, both values for the rest.
func detail(a, b Version, part string) string {
	if part == "items" {
		return itemChanges(a.Items, b.Items)
	}
	return fmt.Sprintf("(%s and %s)", quoted(a, part), quoted(b, part))
}

func quoted(v Version, part string) string {
	text := string(mustCanonical(v.contents()[part]))
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}

func itemChanges(a, b []Item) string {
	old := make(map[string]string, len(a))
	for _, it := range a {
		old[it.ID] = Digest(it)
	}
	changed, added := 0, 0
	for _, it := range b {
		digest, both := old[it.ID]
		switch {
		case !both:
			added++
		case digest != Digest(it):
			changed++
		}
	}
	return fmt.Sprintf("(%d changed, %d only in the first, %d only in the second)", changed, len(a)+added-len(b), added)
}
