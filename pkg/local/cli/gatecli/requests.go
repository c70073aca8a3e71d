package gatecli

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// request is one line: when, in seconds, and whether it failed.
type request struct {
	at     float64
	failed bool
}

// requests are sorted by time; the tests consume them from the front.
type requests struct {
	list     []request
	absolute bool // times are dates
}

// rawLine is a line's two values, before it is known which of them is the time.
type rawLine struct {
	number int
	values []string
}

// readRequests reads lines of a time and 0 or 1, in either order, the same on all lines, or JSON objects with
// "time" and "error"; outcomes alone, on all lines, are one request a second. Each wrong line is a problem with its place.
func readRequests(path string) (requests, []*errs.Error, error) {
	lines, err := readLines(path)
	if err != nil {
		return requests{}, nil, err
	}
	var out requests
	var problems []*errs.Error
	swapped := outcomeFirst(lines)
	alone := !slices.ContainsFunc(lines, func(l rawLine) bool { return len(l.values) != 1 })
	for _, line := range lines {
		if alone {
			line.values = []string{strconv.Itoa(line.number), line.values[0]}
		} else if swapped && len(line.values) == 2 {
			line.values[0], line.values[1] = line.values[1], line.values[0]
		}
		r, absolute, message := parseRequest(line.values)
		if message == "" && len(out.list) > 0 && absolute != out.absolute {
			message = "a date among seconds"
		}
		if message != "" {
			problems = append(problems, errs.New(errs.Invalid, "%s", message).At(fmt.Sprintf("%s:%d", path, line.number)).
				Mend("write a time and 0 or 1, as in 2026-11-24T10:00:00Z 0"))
			continue
		}
		out.absolute = absolute
		out.list = append(out.list, r)
	}
	slices.SortStableFunc(out.list, func(a, b request) int { return cmp.Compare(a.at, b.at) })
	return out, problems, nil
}

// readLines splits lines into values; blank lines, comments and a header row are left out.
func readLines(path string) ([]rawLine, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var out []rawLine
	scanner := bufio.NewScanner(file)
	number := 1
	for ; scanner.Scan(); number++ {
		text := strings.TrimSpace(strings.TrimPrefix(scanner.Text(), "\ufeff"))
		if text != "" && !strings.HasPrefix(text, "#") && !(number == 1 && strings.HasPrefix(text, "time")) {
			out = append(out, rawLine{number, split(text)})
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, errs.New(errs.Invalid, "the line cannot be read: %w", err).At(fmt.Sprintf("%s:%d", path, number)).
			Mend("write a time and 0 or 1 on a line")
	}
	return out, nil
}

func split(text string) []string {
	var object struct {
		Time  json.RawMessage `json:"time"`
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal([]byte(text), &object) == nil && object.Time != nil && object.Error != nil {
		return []string{strings.Trim(string(object.Time), `"`), strings.Trim(string(object.Error), `"`)}
	}
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' || c == ' ' || c == '\t' })
}

// outcomeFirst is true when some second value is no outcome although every first value is one.
func outcomeFirst(lines []rawLine) bool {
	secondAll := true
	for _, line := range lines {
		if len(line.values) != 2 {
			continue
		}
		if _, ok := outcomes[line.values[0]]; !ok {
			return false
		}
		_, ok := outcomes[line.values[1]]
		secondAll = secondAll && ok
	}
	return !secondAll
}

var outcomes = map[string]bool{"0": false, "1": true, "false": false, "true": true}

// parseRequest reads a time and an outcome.
func parseRequest(values []string) (r request, absolute bool, message string) {
	if len(values) != 2 {
		return r, false, fmt.Sprintf("%d values where a time and an outcome belong", len(values))
	}
	failed, ok := outcomes[values[1]]
	if !ok {
		return r, false, fmt.Sprintf("the outcome %q is neither 0 nor 1", values[1])
	}
	r.failed = failed
	if r.at, absolute, ok = parseTime(values[0]); !ok {
		return r, false, fmt.Sprintf("the time %q is neither a date nor a number of seconds", values[0])
	}
	return r, absolute, ""
}

// parseTime reads seconds from any start, or a date.
func parseTime(text string) (seconds float64, absolute, ok bool) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return seconds, false, !math.IsNaN(seconds) && !math.IsInf(seconds, 0)
	}
	date, err := time.Parse(time.RFC3339Nano, text)
	return float64(date.Unix()) + float64(date.Nanosecond())/1e9, true, err == nil
}

// some refuses a file without requests: no data say nothing of a canary.
func (q requests) some(path string) error {
	if len(q.list) == 0 {
		return errs.New(errs.Invalid, "no requests in the file").At(path).Mend("give it a line for each request: a time and 0 or 1")
	}
	return nil
}

// first is the time of the next request, +Inf when there is none.
func (q requests) first() float64 {
	if len(q.list) == 0 {
		return math.Inf(1)
	}
	return q.list[0].at
}

// until takes the requests before end.
func (q *requests) until(end float64) (n, failed int) {
	for len(q.list) > 0 && q.list[0].at < end {
		if q.list[0].failed {
			failed++
		}
		n++
		q.list = q.list[1:]
	}
	return n, failed
}

// write gives a time in the form of the file.
func (q requests) write(at float64) string {
	if q.absolute {
		whole, part := math.Modf(at)
		return time.Unix(int64(whole), int64(part*1e9)).UTC().Format(time.RFC3339)
	}
	return strconv.FormatFloat(at, 'f', -1, 64)
}
