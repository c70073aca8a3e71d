package rules

// wildcard is a pattern of literal bytes and stars that match any text, also none.
type wildcard []token

type token struct {
	char byte
	star bool
}

// parseWildcard reads a pattern; a backslash makes the next star or backslash literal. Positions in
// errors count bytes, the opening quote included for a plain wildcard.
func (c *compiler) parseWildcard(s string) (wildcard, error) {
	var w wildcard
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '*' && i+1 < len(s) && s[i+1] == '*':
			return nil, c.fail("Consecutive wildcard characters at pos %d", i+1)
		case s[i] == '*':
			w = append(w, token{star: true})
		case s[i] == '\\':
			if i+1 >= len(s) || s[i+1] != '*' && s[i+1] != '\\' {
				return nil, c.fail("Invalid escape character at pos %d", i+1)
			}
			i++
			w = append(w, token{char: s[i]})
		default:
			w = append(w, token{char: s[i]})
		}
	}
	return w, nil
}

// match is the usual two-pointer match: on a mismatch the last star takes one more byte. O(n·m).
func (w wildcard) match(s string) bool {
	i, j, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case j < len(w) && w[j].star:
			star, mark = j, i
			j++
		case j < len(w) && w[j].char == s[i]:
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
