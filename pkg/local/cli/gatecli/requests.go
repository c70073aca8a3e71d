package gatecli

import (
	"bufio"
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

// readRequests reads lines of a time and 0 or 1. Each wrong line is a problem with its place.
func readRequests(path string) (requests, []*errs.Error, error) {
	file, err := openFile(path)
	if err != nil {
		return requests{}, nil, err
	}
	defer file.Close()
	var out requests
	var problems []*errs.Error
	scanner := bufio.NewScanner(file)
	for line := 1; scanner.Scan(); line++ {
		text := strings.TrimSpace(strings.TrimPrefix(scanner.Text(), "\ufeff"))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		r, absolute, message := parseRequest(text)
		if message == "" && len(out.list) > 0 && absolute != out.absolute {
			message = "a date among seconds"
		}
		if message != "" {
			problems = append(problems, errs.New(errs.Invalid, "%s", message).At(fmt.Sprintf("%s:%d", path, line)).
				Mend("write a time and 0 or 1, as in 2026-11-24T10:00:00Z 0"))
			continue
		}
		out.absolute = absolute
		out.list = append(out.list, r)
	}
	if err := scanner.Err(); err != nil {
		return out, nil, errs.New(errs.Invalid, "the file cannot be read: %w", err).At(path)
	}
	slices.SortStableFunc(out.list, func(a, b request) int { return compareTimes(a.at, b.at) })
	return out, problems, nil
}

func compareTimes(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// parseRequest reads a time and an outcome.
func parseRequest(text string) (r request, absolute bool, message string) {
	fields := strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' || c == ' ' || c == '\t' })
	if len(fields) != 2 {
		return r, false, fmt.Sprintf("%d values where a time and an outcome belong", len(fields))
	}
	when, outcome := fields[0], fields[1]
	if outcome != "0" && outcome != "1" {
		return r, false, fmt.Sprintf("the outcome %q is neither 0 nor 1", outcome)
	}
	r.failed = outcome == "1"
	if seconds, err := strconv.ParseFloat(when, 64); err == nil && !math.IsNaN(seconds) && !math.IsInf(seconds, 0) {
		r.at = seconds
		return r, false, ""
	}
	date, err := time.Parse(time.RFC3339Nano, when)
	if err != nil {
		return r, false, fmt.Sprintf("the time %q is neither a date nor a number of seconds", when)
	}
	r.at = float64(date.UnixNano()) / 1e9
	return r, true, ""
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
		return time.Unix(0, int64(at*1e9)).UTC().Format(time.RFC3339)
	}
	return strconv.FormatFloat(at, 'f', -1, 64)
}
