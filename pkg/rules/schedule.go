// Package rules holds EventBridge's two languages: event patterns and schedule expressions.
package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // schedules name zones; a Lambda image has none

	"github.com/winebarrel/cronplan"
)

// Schedule is a cron(…), rate(…) or at(…) expression in a time zone.
type Schedule struct {
	zone *time.Location
	cron *cronplan.Expression
	rate time.Duration
	at   time.Time
}

var rateForm = regexp.MustCompile(`^rate\((\d+) (minute|minutes|hour|hours|day|days)\)$`)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// ParseSchedule reads an expression; an empty time zone is UTC.
func ParseSchedule(expr, timezone string) (Schedule, error) {
	zone, err := time.LoadLocation(timezone)
	if err != nil {
		return Schedule{}, fmt.Errorf("time zone %q is not known", timezone)
	}
	s := Schedule{zone: zone}
	switch {
	case strings.HasPrefix(expr, "cron(") && strings.HasSuffix(expr, ")"):
		s.cron, err = cronplan.Parse(strings.TrimSuffix(strings.TrimPrefix(expr, "cron("), ")"))
	case strings.HasPrefix(expr, "at(") && strings.HasSuffix(expr, ")"):
		s.at, err = time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSuffix(strings.TrimPrefix(expr, "at("), ")"), zone)
	default:
		s.rate, err = parseRate(expr)
	}
	return s, err
}

// parseRate reads rate(n unit); one takes the singular, more the plural, as AWS has it.
func parseRate(expr string) (time.Duration, error) {
	m := rateForm.FindStringSubmatch(expr)
	if m == nil {
		return 0, fmt.Errorf("%q is no cron(…), rate(…) or at(…) expression", expr)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n == 0 || (n == 1) == strings.HasSuffix(m[2], "s") {
		return 0, fmt.Errorf("%q: the value must be positive, and 1 takes a singular unit, more a plural one", expr)
	}
	return time.Duration(n) * units[strings.TrimSuffix(m[2], "s")], nil
}

// Next gives the first time of the schedule after t; zero when there is none. A rate counts from t.
func (s Schedule) Next(t time.Time) time.Time {
	switch {
	case s.cron != nil:
		// cronplan's Next includes its argument
		return s.cron.Next(t.In(s.zone).Truncate(time.Minute).Add(time.Minute))
	case s.rate > 0:
		return t.Add(s.rate)
	case s.at.After(t):
		return s.at
	}
	return time.Time{}
}
