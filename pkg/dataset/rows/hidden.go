package rows

import (
	"fmt"
	"unicode/utf8"
)

// RuleHidden is a warning: a reader would not see a character that the model learns. Hidden text is a way
// to poison training data or to smuggle instructions into it.
const RuleHidden = "text.hidden-characters"

// Hidden finds the first character that shows nothing or turns the direction of writing: zero-width spaces
// and operators, bidirectional controls and tags. Joiners are none: scripts and emoji need them.
func (r *Row) Hidden() *Problem {
	for i, part := range r.parts() {
		if c := hidden(part.Content); c != 0 {
			return &Problem{Rule: RuleHidden, Pointer: r.pointer(i), Expected: "characters that can be seen", Found: fmt.Sprintf("U+%04X", c)}
		}
	}
	return nil
}

// pointer names the field of a part.
func (r *Row) pointer(part int) string {
	switch {
	case r.Kind == Chat:
		return fmt.Sprintf("/messages/%d/content", part)
	case r.Kind == Plain:
		return "/text"
	case part == 0:
		return "/prompt"
	}
	return "/completion"
}

func hidden(s string) rune {
	for i := 0; i < len(s); i++ {
		if s[i] < 0xe2 { // the first byte of U+2000 and everything above
			continue
		}
		c, n := utf8.DecodeRuneInString(s[i:])
		if concealed(c) {
			return c
		}
		i += n - 1
	}
	return 0
}

// ranges of concealed characters, in order.
var ranges = [...][2]rune{{0x200b, 0x200b}, {0x202a, 0x202e}, {0x2060, 0x2069}, {0xfeff, 0xfeff}, {0xe0000, 0xe007f}}

func concealed(c rune) bool {
	for _, r := range ranges {
		if c >= r[0] && c <= r[1] {
			return true
		}
	}
	return false
}
