package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones on machines without a zone database

	"github.com/winebarrel/cronplan"
)

// Schedule tells when something is due.
type Schedule interface {
	// Next gives the first moment after t, false when there is none.
	Next(t time.Time) (time.Time, bool)
}

// ErrSchedule is the answer to an expression that AWS refuses.
type ErrSchedule struct{ Expression, Reason string }

// Error gives AWS's message and the reason.
func (e *ErrSchedule) Error() string {
	return fmt.Sprintf("Parameter ScheduleExpression is not valid. Reason: %s: %q", e.Reason, e.Expression)
}

var (
	rateForm = regexp.MustCompile(`^rate\(([1-9]\d*) (minute|minutes|hour|hours|day|days)\)$`)
	cronForm = regexp.MustCompile(`^cron\((.*)\)$`)
	atForm   = regexp.MustCompile(`^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$`)
)

// ParseSchedule reads cron(…), rate(…) or at(…), as EventBridge Scheduler does. The time zone applies to
// cron and at; nil means UTC.
//
// Daylight saving: a cron time that does not exist in spring is skipped; one that comes twice in autumn
// happens once, the first time. An at time that does not exist happens when the clocks have changed.
func ParseSchedule(expression string, zone *time.Location) (Schedule, error) {
	if zone == nil {
		zone = time.UTC
	}
	if m := rateForm.FindStringSubmatch(expression); m != nil {
		return parseRate(expression, m[1], m[2])
	}
	if m := atForm.FindStringSubmatch(expression); m != nil {
		return parseAt(expression, m[1], zone)
	}
	if m := cronForm.FindStringSubmatch(expression); m != nil {
		return parseCron(expression, m[1], zone)
	}
	return nil, &ErrSchedule{expression, "expected cron(minutes hours day-of-month month day-of-week year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)"}
}

// rate is a fixed interval.
type rate time.Duration

// Next adds the interval.
func (r rate) Next(t time.Time) (time.Time, bool) { return t.Add(time.Duration(r)), true }

// maxRate keeps intervals within what a Duration holds.
const maxRate = 100 * 365 * 24 * time.Hour

func parseRate(expression, value, unit string) (Schedule, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	size := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[strings.TrimSuffix(unit, "s")]
	if err != nil || n > int64(maxRate/size) {
		return nil, &ErrSchedule{expression, "the value is too large"}
	}
	if (n == 1) == strings.HasSuffix(unit, "s") {
		return nil, &ErrSchedule{expression, "the unit must be singular for 1 and plural otherwise"}
	}
	return rate(time.Duration(n) * size), nil
}

// at is a single moment.
type at time.Time

// Next gives the moment if it is still to come.
func (a at) Next(t time.Time) (time.Time, bool) { return time.Time(a), time.Time(a).After(t) }

func parseAt(expression, text string, zone *time.Location) (Schedule, error) {
	naive, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		return nil, &ErrSchedule{expression, "no such date or time"}
	}
	moment, exists := local(naive, zone)
	if !exists {
		moment = gapEnd(naive, zone)
	}
	return at(moment), nil
}

// cron is a calendar rule in a zone.
type cron struct {
	rule *cronplan.Expression
	zone *time.Location
}

func parseCron(expression, fields string, zone *time.Location) (Schedule, error) {
	if len(strings.Fields(fields)) != 6 || fields != strings.Join(strings.Fields(fields), " ") {
		return nil, &ErrSchedule{expression, "cron needs six fields separated by one space: minutes hours day-of-month month day-of-week year"}
	}
	if reason := checkFields(strings.Fields(fields)); reason != "" {
		return nil, &ErrSchedule{expression, reason}
	}
	rule, err := cronplan.Parse(fields)
	if err != nil {
		return nil, &ErrSchedule{expression, strings.ReplaceAll(err.Error(), "\n", " ")}
	}
	return cron{rule, zone}, nil
}

// mostSteps are the largest increments in the six fields.
var mostSteps = [6]int{59, 23, 31, 12, 7, 199}

// checkFields refuses what AWS's documentation excludes and the parser takes: increments of nothing or
// beyond their field, a sixth weekday of a month, a second expression beside one with #.
func checkFields(fields []string) string {
	for i, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			_, step, stepped := strings.Cut(item, "/")
			if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1 || n > mostSteps[i]) {
				return fmt.Sprintf("the increment in %q must be 1 to %d", item, mostSteps[i])
			}
		}
	}
	return checkNumbered(fields[4])
}

// checkNumbered checks a day-of-week with #.
func checkNumbered(day string) string {
	_, which, numbered := strings.Cut(day, "#")
	switch {
	case !numbered:
		return ""
	case strings.Contains(day, ","):
		return fmt.Sprintf("day-of-week with '#' is one expression only, not %q", day)
	case len(which) != 1 || which < "1" || which > "5":
		return fmt.Sprintf("the number after '#' in %q must be 1 to 5", day)
	}
	return ""
}

// Next looks for the next wall clock time that the rule names and that exists in the zone.
func (c cron) Next(t time.Time) (time.Time, bool) {
	naive := naiveIn(t, c.zone).Truncate(time.Minute)
	for {
		naive = c.rule.Next(naive.Add(time.Minute)) // Next includes its argument
		if naive.IsZero() {
			return time.Time{}, false
		}
		if moment, exists := local(naive, c.zone); exists && moment.After(t) {
			return moment, true
		}
	}
}

// naiveIn is the wall clock time in a zone, written down as if it were UTC.
func naiveIn(t time.Time, zone *time.Location) time.Time {
	l := t.In(zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)
}

// local gives the first moment with a wall clock time; exists is false in the gap of spring.
func local(naive time.Time, zone *time.Location) (moment time.Time, exists bool) {
	guess := time.Date(naive.Year(), naive.Month(), naive.Day(), naive.Hour(), naive.Minute(), naive.Second(), 0, zone)
	if !naiveIn(guess, zone).Equal(naive) {
		return time.Time{}, false
	}
	start, _ := guess.ZoneBounds() // in autumn the guess may be the second of two
	if start.IsZero() {
		return guess, true
	}
	_, offset := guess.Zone()
	_, before := start.Add(-time.Second).In(zone).Zone()
	if earlier := guess.Add(time.Duration(offset-before) * time.Second); earlier.Before(start) && naiveIn(earlier, zone).Equal(naive) {
		return earlier, true
	}
	return guess, true
}

// gapEnd is the moment at which the clocks change around a time that does not exist.
func gapEnd(naive time.Time, zone *time.Location) time.Time {
	before := time.Date(naive.Year(), naive.Month(), naive.Day(), naive.Hour()-12, naive.Minute(), 0, 0, zone)
	_, end := before.ZoneBounds()
	return end
}

// NextN gives the next n moments after t.
func NextN(s Schedule, t time.Time, n int) []time.Time {
	var out []time.Time
	for len(out) < n {
		next, ok := s.Next(t)
		if !ok {
			return out
		}
		out = append(out, next)
		t = next
	}
	return out
}
