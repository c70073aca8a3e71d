package rules

// wildcard is a pattern of literal characters and stars that match any text, also none.
type wildcard []token

type token struct {
	char rune
	star bool
}

// maxStars bounds wildcards whose parts repeat a character: AWS refuses them as too complex because
// many positions stay possible at once. The exact measure is not published.
const maxStars = 4

// parseWildcard reads a pattern; a backslash makes the next star or backslash literal.
func parseWildcard(s string) (wildcard, error) {
	var w wildcard
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		switch c := runes[i]; c {
		case '*':
			if w.endsInStar() {
				return nil, invalid("Consecutive wildcard characters at pos %d", i)
			}
			w = append(w, token{star: true})
		case '\\':
			i++
			if i >= len(runes) || runes[i] != '*' && runes[i] != '\\' {
				return nil, invalid("Invalid escape character at pos %d", i-1)
			}
			w = append(w, token{char: runes[i]})
		default:
			w = append(w, token{char: c})
		}
	}
	if w.complex() {
		return nil, invalid("Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character")
	}
	return w, nil
}

func (w wildcard) endsInStar() bool { return len(w) > 0 && w[len(w)-1].star }

// complex tells whether too many stars are followed by the same character.
func (w wildcard) complex() bool {
	after := map[rune]int{}
	for i, t := range w {
		if t.star && i+1 < len(w) {
			after[w[i+1].char]++
		}
	}
	for _, n := range after {
		if n > maxStars {
			return true
		}
	}
	return false
}

// match is the usual two-pointer match: on a mismatch the last star takes one more character. O(n·m).
func (w wildcard) match(s string) bool {
	text := []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case j < len(w) && w[j].star:
			star, mark = j, i
			j++
		case j < len(w) && w[j].char == text[i]:
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(w) && w[j].star {
		j++
	}
	return j == len(w)
}
