package training

import (
	"fmt"
	"time"
)

// due decides whether the trigger fires now: enough new rows, quiet for the debounce time and cooled
// down since the last run, or a slot of the schedule has come. It gives the kind and the reason.
func (t Trigger) due(now time.Time) (TriggerKind, string) {
	if !t.NextRun.IsZero() && !t.NextRun.After(now) {
		return BySchedule, "schedule " + t.Schedule
	}
	if t.MinRows == 0 || t.PendingRows < t.MinRows {
		return "", ""
	}
	if now.Before(t.LastArrival.Add(seconds(t.Debounce))) || now.Before(t.LastRun.Add(seconds(t.Cooldown))) {
		return "", ""
	}
	return ByData, fmt.Sprintf("%d new rows (threshold %d)", t.PendingRows, t.MinRows)
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
