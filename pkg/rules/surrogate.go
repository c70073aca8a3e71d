package rules

import (
	"strings"
	"unicode/utf16"
)

// Halves of surrogate pairs are kept as private runes beyond Unicode's planes in use, until both are there.
const privatePlane = 0x10_0000 - 0xd800 + 0x400

// writeUnit writes a UTF-16 unit.
func writeUnit(b *strings.Builder, unit uint16) {
	if utf16.IsSurrogate(rune(unit)) {
		b.WriteRune(rune(unit) + privatePlane)
		return
	}
	b.WriteRune(rune(unit))
}

// joinSurrogates makes characters of pairs; a half alone becomes the replacement character.
func joinSurrogates(s string) string {
	if !strings.ContainsFunc(s, isHalf) {
		return s
	}
	runes := []rune(s)
	out := runes[:0]
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		if isHalf(c) {
			next := rune(0)
			if i+1 < len(runes) {
				next = runes[i+1] - privatePlane
			}
			if c = utf16.DecodeRune(c-privatePlane, next); c != '\uFFFD' {
				i++
			}
		}
		out = append(out, c)
	}
	return string(out)
}

func isHalf(c rune) bool { return utf16.IsSurrogate(c - privatePlane) }
