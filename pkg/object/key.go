package object

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Limits of keys. A segment is a part between slashes; each percent sign counts three times.
const (
	MaxKey     = 1024
	MaxSegment = 240
)

// CheckKey refuses with errs.Invalid what is not safe as a key in every store: empty or relative
// segments, control characters, text that is not UTF-8, too long.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey || !utf8.ValidString(key) {
		return errs.New(errs.Invalid, "an object key is UTF-8 of 1 to %d bytes", MaxKey).At("key")
	}
	if strings.ContainsFunc(key, unicode.IsControl) {
		return errs.New(errs.Invalid, "the object key %q has control characters", key).At("key")
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return errs.New(errs.Invalid, "the object key %q has an empty or relative segment", key).At("key")
		}
		if len(segment)+2*strings.Count(segment, "%") > MaxSegment {
			return errs.New(errs.Invalid, "the object key has a segment of more than %d bytes", MaxSegment).At("key")
		}
	}
	return nil
}
