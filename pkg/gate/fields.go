package gate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// fields are the names of a result line; the last two only make the report easier to read. encoding/json takes them
// in any letter case.
var fields = []string{"benchmark", "lock", "capability", "item", "cluster", "score", "error", "mustPass", "output",
	"latencyMs", "tokens", "prompt", "target"}

// judgedFields are those whose misspelling would change what is judged or shown of an item.
var judgedFields = fields[:len(fields)-2]

// isField tells that a key names a field in any letter case.
func isField(key string) bool {
	return slices.ContainsFunc(fields, func(f string) bool { return strings.EqualFold(f, key) })
}

// foreign tells that a key is no field and resembles none, so that its value does not matter.
func (w *words) foreign(key string) bool {
	known, ok := w.judged[key]
	if !ok {
		known = !isField(key) && resembles(key) == ""
		if len(w.judged) < 1<<10 {
			w.judged[strings.Clone(key)] = known
		}
	}
	return known
}

// misspelt refuses a key that resembles a field which the line lacks: a "mustPas" that is passed over would weaken
// the gate in silence. Other keys are the caller's own and are ignored.
func misspelt(line []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil {
		return jsonMessage(err)
	}
	present := func(field string) bool {
		for key := range keys {
			if strings.EqualFold(key, field) {
				return true
			}
		}
		return false
	}
	for key := range keys {
		if isField(key) {
			continue
		}
		if field := resembles(key); field != "" && !present(field) {
			return fmt.Errorf("%q is not a field; did you mean %q?", key, field)
		}
	}
	return nil
}

// resembles gives the field that a key is a slip of, "" for none: letters and digits alike, or up to two letters
// off in a long name and one in a short one.
func resembles(key string) string {
	plain := bare(key)
	for _, field := range judgedFields {
		slack := 1
		if len(field) > 5 {
			slack = 2
		}
		if distance(plain, strings.ToLower(field)) <= slack {
			return field
		}
	}
	return ""
}

// bare leaves letters and digits, in lower case.
func bare(key string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, key)
}

// distance counts the bytes to insert, remove or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
