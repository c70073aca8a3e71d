package benchmark

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// eachWord calls yield with the hash of every word of text: runs of letters and digits, compatibility forms
// and case folded, everything else a separator; an ideograph or kana is a word of its own. It stops when
// yield returns false.
func eachWord(text string, yield func(hash uint64) bool) {
	if !ascii(text) {
		eachRuneWord(norm.NFKC.String(text), yield)
		return
	}
	hash := uint64(hashStart)
	for i := 0; i < len(text); i++ {
		if c := foldTable[text[i]]; c != 0 {
			hash = (hash ^ uint64(c)) * hashPrime
			continue
		}
		if hash != hashStart && !yield(mix(hash)) {
			return
		}
		hash = hashStart
	}
	if hash != hashStart {
		yield(mix(hash))
	}
}

func eachRuneWord(text string, yield func(hash uint64) bool) {
	hash := uint64(hashStart)
	flush := func() bool {
		done := hash != hashStart && !yield(mix(hash))
		hash = hashStart
		return !done
	}
	for _, r := range text {
		alone := standsAlone(r)
		if (alone || !wordRune(r)) && !flush() {
			return
		}
		if wordRune(r) {
			hash = addRune(hash, unicode.ToLower(r))
		}
		if alone && !flush() {
			return
		}
	}
	flush()
}

// addRune hashes the UTF-8 bytes of r, so that ASCII words hash alike on both paths.
func addRune(hash uint64, r rune) uint64 {
	var buf [utf8.UTFMax]byte
	for _, c := range buf[:utf8.EncodeRune(buf[:], r)] {
		hash = (hash ^ uint64(c)) * hashPrime
	}
	return hash
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

func standsAlone(r rune) bool {
	return r > 0x2e7f && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// FNV-1a's constants; mix is the finalizer of MurmurHash3, which spreads every bit.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// foldTable gives the lower-case byte of ASCII letters and digits, 0 for separators.
var foldTable = func() (t [256]byte) {
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = c, c
	}
	return t
}()
