package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/rules"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return m
}

func TestParseSchedule_Next(t *testing.T) {
	for _, c := range []struct {
		expression, zone, from string
		want                   []string
	}{
		{"rate(1 minute)", "UTC", "2026-01-01T00:00:30Z", []string{"2026-01-01T00:01:30Z", "2026-01-01T00:02:30Z"}},
		{"rate(2 days)", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-03T00:00:00Z", "2026-01-05T00:00:00Z"}},
		{"at(2026-05-01T09:00:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", []string{"2026-05-01T09:00:00+02:00"}},
		{"at(2026-03-29T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", []string{"2026-03-29T03:00:00+02:00"}},
		{"at(2026-10-25T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", []string{"2026-10-25T02:30:00+02:00"}},
		{"at(2025-05-01T09:00:00)", "UTC", "2026-01-01T00:00:00Z", nil},
		{"cron(0 12 * * ? *)", "UTC", "2026-01-01T12:00:00Z", []string{"2026-01-02T12:00:00Z", "2026-01-03T12:00:00Z"}},
		{"cron(0 8 ? * 1 *)", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-04T08:00:00Z", "2026-01-11T08:00:00Z"}}, // 1 is Sunday
		{"cron(15 10 ? * 6L 2002-2005)", "UTC", "2005-11-30T00:00:00Z", []string{"2005-12-30T10:15:00Z"}},
		{"cron(0 0 LW * ? *)", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"}},
		{"cron(0 2 ? * SAT#3 *)", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-17T02:00:00Z"}},
		{"cron(0-15/10 8-8 ? * 2,3,4 *)", "UTC", "2026-01-05T00:00:00Z", []string{"2026-01-05T08:00:00Z", "2026-01-05T08:10:00Z", "2026-01-06T08:00:00Z"}},
		{"cron(0 0 L-3 * ? *)", "UTC", "2026-02-01T00:00:00Z", []string{"2026-02-25T00:00:00Z", "2026-03-28T00:00:00Z"}},
		{"cron(0 0 15W * ? *)", "UTC", "2026-08-01T00:00:00Z", []string{"2026-08-14T00:00:00Z", "2026-09-15T00:00:00Z"}},
		{"cron(0 0 ? * FRI-MON *)", "UTC", "2026-01-04T00:00:00Z", []string{"2026-01-05T00:00:00Z", "2026-01-09T00:00:00Z"}},
		{"cron(0 0 31 2 ? *)", "UTC", "2026-01-01T00:00:00Z", nil},
		{"cron(0 0 29 2 ? *)", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		// Spring: 02:30 does not exist on the 29th, it is skipped.
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T00:00:00Z", []string{"2026-03-28T02:30:00+01:00", "2026-03-30T02:30:00+02:00"}},
		// Autumn: 02:30 comes twice on the 25th and happens once.
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"cron(0/30 * * * ? *)", "America/New_York", "2026-11-01T05:00:00Z", []string{"2026-11-01T01:30:00-04:00", "2026-11-01T02:00:00-05:00"}},
		{"cron(0/30 * * * ? *)", "America/New_York", "2026-03-08T06:00:00Z", []string{"2026-03-08T01:30:00-05:00", "2026-03-08T03:00:00-04:00"}},
		{"cron(0/15 1 * * ? *)", "America/New_York", "2026-11-01T05:20:00Z", []string{"2026-11-01T01:30:00-04:00", "2026-11-01T01:45:00-04:00", "2026-11-02T01:00:00-05:00"}},
		{"cron(0 * * * ? *)", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", []string{"2026-04-05T02:00:00+10:30", "2026-04-05T03:00:00+10:30"}}, // half an hour
		{"cron(30 0 * * ? *)", "Asia/Beirut", "2026-03-28T00:00:00Z", []string{"2026-03-30T00:30:00+03:00"}},                                     // the day begins at one
		{"cron(0 9 ? * 2#5 *)", "UTC", "2026-01-01T00:00:00Z", []string{"2026-03-30T09:00:00Z", "2026-06-29T09:00:00Z"}},
		{"cron(0 9 1W * ? *)", "UTC", "2026-07-30T00:00:00Z", []string{"2026-08-03T09:00:00Z", "2026-09-01T09:00:00Z"}},
		{"cron(0 0 ? 2 2#5 *)", "UTC", "2026-01-01T00:00:00Z", []string{"2044-02-29T00:00:00Z"}},
		{"cron(0 0 * * ? *)", "Pacific/Apia", "2011-12-29T00:00:00Z", []string{"2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"}},
	} {
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		s, err := rules.ParseSchedule(c.expression, zone)
		require.NoError(t, err, c.expression)
		got := rules.NextN(s, moment(t, c.from), max(len(c.want), 1))
		require.Len(t, got, len(c.want), c.expression)
		for i := range got {
			require.True(t, moment(t, c.want[i]).Equal(got[i]), "%s in %s: %v, want %s", c.expression, c.zone, got[i].In(zone), c.want[i])
		}
	}
}

func TestParseSchedule_RefusesWhatAWSRefuses(t *testing.T) {
	for _, expression := range []string{
		"", "rate()", "rate(10)", "rate(10 seconds)", "rate(10 years)", "rate(1 minutes)", "rate(1 hours)", "rate(1 days)", "rate(10 minute)",
		"rate(10 hour)", "rate(10 day)", "rate(10 minutess)", "rate(foo minutes)", "rate(0 minutes)", "rate(-10 minutes)", "rate(10 MINUTES)",
		"rate( 10 minutes )", " rate(10 minutes)", "rate(99999999999999999999 days)", "rate(999999999999 days)",
		"cron(0 1 * * * *)", "cron(7 20 * * NOT *)", "cron(INVALID)", "cron(0 dummy ? * MON-FRI *)", "cron(71 8 1 * ? *)", "cron(0 0 * * ?)",
		"cron(0 0 * * ? * *)", "at(2026-13-01T00:00:00)", "at(2026-01-01)", "at(2026-02-30T00:00:00)", "every day",
		"cron(*/60 * * * ? *)", "cron(0/0 * * * ? *)", "cron(0 0/24 * * ? *)", "cron(0 0 ? * MON#6 *)", "cron(0 0 ? * MON#0 *)", "cron(0 0 ? * 2#1,4#2 *)",
		"cron(0 0 ? * ? *)", "cron(? * * * ? *)", "cron(0 0 ? * 8 *)", "cron(0 0 ? * 0 *)", "cron(0 0 * * ? 2200)", "cron(0 24 * * ? *)", "rate(05 minutes)",
		"at(2026-01-01T00:00:00Z)",
	} {
		_, err := rules.ParseSchedule(expression, nil)
		require.ErrorContains(t, err, "Parameter ScheduleExpression is not valid", expression)
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, seed := range []string{"rate(5 minutes)", "at(2026-03-29T02:30:00)", "cron(0/30 1-5 LW JAN,3 ? 2026/2)", "cron(0 0 ? * SAT#3 *)", "cron(0 0 L-3 * ? *)"} {
		f.Add(seed, int64(1774742400))
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, expression string, at int64) {
		s, err := rules.ParseSchedule(expression, berlin)
		if err != nil {
			require.ErrorContains(t, err, "Parameter ScheduleExpression is not valid")
			return
		}
		from := time.Unix(at%4e9, 0)
		if next, ok := s.Next(from); ok {
			require.True(t, next.After(from), "%s after %s gives %s", expression, from, next)
		}
	})
}
