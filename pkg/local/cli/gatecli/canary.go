package gatecli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/stats"
)

type canaryFlags struct {
	alpha, ratio     float64
	baseline, canary string
	tick             time.Duration
	json, code       bool
}

// Canary is the command "canary": the sequential test of rollouts, on two files.
func Canary() *cobra.Command {
	var f canaryFlags
	cmd := quiet(&cobra.Command{
		Use:   "canary --baseline FILE --canary FILE",
		Short: "Say when a canary's errors would have stopped it",
		Long: `Say when a canary's errors would have stopped it.

Each line of a file is one request: a time and 0 (fine) or 1 (failed), such as
"2026-11-24T10:00:00Z 0" or "12.5 1", with seconds counted from any start. A space, a comma or a tab parts them;
the outcome may also come first, and {"time": …, "error": …} is read too. Lines of 0 or 1 alone count as one
request a second.
The test may be looked at after every tick: over a whole canary that is no worse, it stops with a
chance of at most alpha.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	})
	flags := cmd.Flags()
	flags.Float64Var(&f.alpha, "alpha", 0.01, "largest chance of stopping a canary that is no worse")
	flags.Float64Var(&f.ratio, "min-ratio", 1.2, "smallest rise of the error rate of interest, as a ratio")
	flags.StringVar(&f.baseline, "baseline", "", "requests of the version that serves now")
	flags.StringVar(&f.canary, "canary", "", "requests of the canary")
	flags.DurationVar(&f.tick, "tick", 30*time.Second, "time between looks")
	flags.BoolVar(&f.json, "json", false, "print the outcome as JSON")
	flags.BoolVar(&f.code, "exit-code", false, "exit with 4 when the canary is stopped")
	return cmd
}

// outcome is what the test said over both files.
type outcome struct {
	Stopped       bool      `json:"stopped"`
	StoppedAt     *string   `json:"stoppedAt"`    // the end of the tick, in the files' form of time
	AfterSeconds  *float64  `json:"afterSeconds"` // since the first request
	E             float64   `json:"e"`            // at the stop, or at the end
	Threshold     float64   `json:"threshold"`
	Ticks         int       `json:"ticks"`
	BaselineCount int       `json:"baselineRequests"`
	BaselineFails int       `json:"baselineErrors"`
	CanaryCount   int       `json:"canaryRequests"`
	CanaryFails   int       `json:"canaryErrors"`
	Trace         []float64 `json:"trace"` // E after each tick
}

func (f canaryFlags) run(out, errOut io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	baseline, canary, err := f.read(errOut)
	if err != nil {
		return err
	}
	result := f.judge(baseline, canary)
	if err := f.print(out, result); err != nil {
		return err
	}
	if f.code && result.Stopped {
		return exit(ExitFail)
	}
	return nil
}

// read reads both files and prints what is wrong in either.
func (f canaryFlags) read(errOut io.Writer) (baseline, canary requests, err error) {
	baseline, problems, err := readRequests(f.baseline)
	if err != nil {
		return baseline, canary, err
	}
	canary, more, err := readRequests(f.canary)
	if err != nil {
		return baseline, canary, err
	}
	for _, p := range append(problems, more...) {
		fmt.Fprintln(errOut, p.Error())
	}
	if len(problems)+len(more) > 0 {
		return baseline, canary, exit(ExitUnjudgeable)
	}
	if err := errors.Join(baseline.some(f.baseline), canary.some(f.canary)); err != nil {
		return baseline, canary, err
	}
	if baseline.absolute != canary.absolute {
		err = errs.New(errs.Invalid, "one file has dates and the other has seconds").At(f.canary).Mend("use the same form of time in both")
	}
	return baseline, canary, err
}

func (f canaryFlags) check() error {
	switch {
	case f.baseline == "":
		return errs.New(errs.Invalid, "no --baseline file").Mend("name the file with --baseline FILE")
	case f.canary == "":
		return errs.New(errs.Invalid, "no --canary file").Mend("name the file with --canary FILE")
	case !(f.alpha > 0 && f.alpha < 1):
		return errs.New(errs.Invalid, "alpha %v is not a chance", f.alpha).At("--alpha").Mend("use a number between 0 and 1, such as 0.01")
	case !(f.ratio > 1) || math.IsInf(f.ratio, 1):
		return errs.New(errs.Invalid, "a ratio of %v is no rise", f.ratio).At("--min-ratio").Mend("use a number above 1, such as 1.2")
	case f.tick <= 0:
		return errs.New(errs.Invalid, "the tick is not positive").At("--tick").Mend("use a duration such as 30s")
	}
	return nil
}

// judge feeds both streams tick by tick until the test stops or both end.
func (f canaryFlags) judge(baseline, canary requests) outcome {
	test := stats.NewEProcess(f.alpha, f.ratio)
	start := min(baseline.first(), canary.first())
	result := outcome{Threshold: 1 / f.alpha, E: 1, Trace: []float64{}}
	for end := start; !result.Stopped && (len(baseline.list) > 0 || len(canary.list) > 0); {
		end = nextTick(end, f.tick.Seconds(), min(baseline.first(), canary.first()))
		baseN, baseK := baseline.until(end)
		canaryN, canaryK := canary.until(end)
		result.E, result.Stopped = test.Observe(baseN, baseK, canaryN, canaryK)
		result.Trace = append(result.Trace, result.E)
		if result.Stopped {
			at, after := baseline.write(end), end-start
			result.StoppedAt, result.AfterSeconds = &at, &after
		}
	}
	result.Ticks = len(result.Trace)
	result.BaselineCount, result.BaselineFails = test.BaseN, test.BaseK
	result.CanaryCount, result.CanaryFails = test.CanaryN, test.CanaryK
	return result
}

// nextTick is the first end of a tick after the request; ticks without requests change nothing. It is always after
// the request, however small the tick is beside the time.
func nextTick(end, tick, request float64) float64 {
	skipped := math.Floor((request - end) / tick)
	return max(end+max(0, skipped)*tick+tick, math.Nextafter(request, math.Inf(1)))
}

func (f canaryFlags) print(out io.Writer, r outcome) error {
	if f.json {
		return printJSON(out, r)
	}
	if r.Stopped {
		fmt.Fprintf(out, "STOP at %s, %.0f s after the first request: E = %.4g, the bound is %.4g\n", *r.StoppedAt, *r.AfterSeconds, r.E, r.Threshold)
	} else {
		fmt.Fprintf(out, "no stop in %d ticks: E = %.4g, the bound is %.4g\n", r.Ticks, r.E, r.Threshold)
	}
	fmt.Fprintf(out, "baseline %d errors in %d requests, canary %d in %d\n", r.BaselineFails, r.BaselineCount, r.CanaryFails, r.CanaryCount)
	return nil
}
