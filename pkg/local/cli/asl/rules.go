package aslcli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/rules"
)

// RulesCommand makes `rules`.
func RulesCommand() *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "Try event patterns and schedules offline"}
	c.AddCommand(matchCommand(), nextCommand())
	return c
}

func matchCommand() *cobra.Command {
	var pattern, event string
	c := &cobra.Command{
		Use:   "match --pattern JSON|@FILE --event JSON|@FILE",
		Short: "Tell whether an event matches an EventBridge pattern: true or false",
		Long:  "Prints true or false. Exit status: 0 for either, 2 bad use, with AWS's message for a pattern that is not valid.",
	}
	c.Flags().StringVar(&pattern, "pattern", "", "event pattern: JSON, or @FILE")
	c.Flags().StringVar(&event, "event", "", "event: JSON, or @FILE")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("pattern") || !cmd.Flags().Changed("event") {
			return badUse("both --pattern and --event are needed\nusage: %s", cmd.UseLine())
		}
		p, err := argument(pattern)
		if err != nil {
			return err
		}
		e, err := argument(event)
		if err != nil {
			return err
		}
		matches, err := rules.MatchJSON(p, e)
		if err != nil {
			return badUse("%v", err)
		}
		fmt.Fprintln(cmd.OutOrStdout(), matches)
		return nil
	}
	return use(c, cobra.NoArgs)
}

type nextOptions struct {
	schedule, zone, from string
	count                int
}

// maxCount bounds how many times one call prints.
const maxCount = 10000

func nextCommand() *cobra.Command {
	var o nextOptions
	c := &cobra.Command{
		Use:   "next --schedule EXPR [--timezone TZ] [--from RFC3339] [--count N]",
		Short: "Tell when a schedule is due next, one time a line",
		Long:  "Prints up to --count times in RFC 3339, fewer when the schedule ends. Exit status: 0, 2 bad use or a schedule that is not valid.",
	}
	c.Flags().StringVar(&o.schedule, "schedule", "", "cron(…), rate(…) or at(…)")
	c.Flags().StringVar(&o.zone, "timezone", "UTC", "IANA time zone, such as Europe/Berlin")
	c.Flags().StringVar(&o.from, "from", "", "the times after this one; default now")
	c.Flags().IntVar(&o.count, "count", 1, "how many")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		times, err := o.times()
		if err != nil {
			return badUse("%v", err)
		}
		for _, t := range times {
			fmt.Fprintln(cmd.OutOrStdout(), t.Format(time.RFC3339))
		}
		return nil
	}
	return use(c, cobra.NoArgs)
}

func (o nextOptions) times() ([]time.Time, error) {
	if o.count < 1 || o.count > maxCount {
		return nil, fmt.Errorf("--count must be between 1 and %d", maxCount)
	}
	zone, err := time.LoadLocation(o.zone)
	if err != nil || o.zone == "" || o.zone == "Local" {
		return nil, fmt.Errorf("--timezone %q is not an IANA time zone", o.zone)
	}
	from := time.Now()
	if o.from != "" {
		if from, err = time.Parse(time.RFC3339, o.from); err != nil {
			return nil, errors.New("--from must look like 2026-01-31T09:00:00Z")
		}
	}
	s, err := rules.ParseSchedule(o.schedule, zone)
	if err != nil {
		return nil, err
	}
	times := rules.NextN(s, from, o.count)
	for i := range times {
		times[i] = times[i].In(zone)
	}
	return times, nil
}
