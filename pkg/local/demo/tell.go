package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// teller tells the story, one line a happening, with the seconds since the start.
type teller struct {
	out   io.Writer
	began time.Time
	last  string
}

func (t *teller) title(s string) {
	t.last = ""
	fmt.Fprintf(t.out, "\n%6.1f s  ── %s\n", time.Since(t.began).Seconds(), s)
}

// say tells something; the same thing twice in a row is told once.
func (t *teller) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if line == t.last {
		return
	}
	t.last = line
	fmt.Fprintf(t.out, "%6.1f s     %s\n", time.Since(t.began).Seconds(), strings.ReplaceAll(line, "\n", "\n             "))
}

// percent gives a share as people read it.
func percent(x float64) string { return fmt.Sprintf("%.0f%%", 100*x) }
