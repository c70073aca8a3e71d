package rules

import (
	"fmt"
	"strings"
	"unicode"
)

// source is the text of a pattern with the words in which AWS names a place in it.
type source struct{ text []rune }

// maxQuoted is how many characters of a pattern AWS repeats in a message.
const maxQuoted = 500

// at names the place before text[pos]: line and column, both counted from 1, columns in UTF-16 units.
func (s source) at(pos int) string {
	line, column := 1, 1
	for _, c := range s.text[:min(pos, len(s.text))] {
		switch {
		case c == '\n':
			line, column = line+1, 1
		case c > 0xffff:
			column += 2
		default:
			column++
		}
	}
	return fmt.Sprintf("[Source: (String)%s; line: %d, column: %d]", s.quoted(), line, column)
}

func (s source) quoted() string {
	shown, more := s.text, ""
	if n := len(s.text) - maxQuoted; n > 0 {
		shown, more = s.text[:maxQuoted], fmt.Sprintf("[truncated %d chars]", n)
	}
	var b strings.Builder
	for _, c := range shown {
		if unicode.IsControl(c) && c != '\n' && c != '\r' {
			fmt.Fprintf(&b, `\u%04X`, c)
		} else {
			b.WriteRune(c)
		}
	}
	return `"` + b.String() + `"` + more
}

// describe names a character as AWS's parser does.
func describe(c rune) string {
	switch {
	case unicode.IsControl(c):
		return fmt.Sprintf("(CTRL-CHAR, code %d)", c)
	case c > 255:
		return fmt.Sprintf("'%c' (code %d / 0x%x)", c, c, c)
	}
	return fmt.Sprintf("'%c' (code %d)", c, c)
}
