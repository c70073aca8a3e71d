package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/stats"
)

// atMargin draws n items whose true difference is −delta with flip rate psi.
func atMargin(random *rand.Rand, n int, psi, delta float64) []float64 {
	d := make([]float64, n)
	for i := range d {
		switch u := random.Float64(); {
		case u < (psi-delta)/2:
			d[i] = 1
		case u < psi:
			d[i] = -1
		}
	}
	return d
}

// size is how often a candidate exactly at the margin passes.
func size(runs int, draw func() bool) int {
	passed := 0
	for range runs {
		if draw() {
			passed++
		}
	}
	return passed
}

// A model at the margin passes in at most 5% of runs, whatever the number of items; the lower Wilson bound at
// 99.8% keeps chance apart from a fault.
func TestPaired_NonInferior_KeepsItsLevelAtTheMargin(t *testing.T) {
	const runs = 4000
	random := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{50, 200, 500, 2000} {
		for _, c := range []struct{ psi, delta float64 }{{0.02, 0.02}, {0.03, 0.03}, {0.10, 0.03}, {0.10, 0.05}, {0.30, 0.05}} {
			passed := size(runs/(1+n/500), func() bool {
				return stats.NewPaired(atMargin(random, n, c.psi, c.delta), nil).NonInferior(c.delta, 0.05, 1)
			})
			bound := stats.Wilson(passed, runs/(1+n/500), 0.998)
			require.LessOrEqual(t, bound.Low, 0.05, "n=%d psi=%v delta=%v: %d passed", n, c.psi, c.delta, passed)
		}
	}
}

func TestPool_KeepsItsLevelAtTheMargin(t *testing.T) {
	const runs, delta = 2000, 0.01
	random := rand.New(rand.NewPCG(4, 4))
	passed := size(runs, func() bool {
		var strata []stats.Stratum
		for _, n := range []int{164, 300, 500, 1000} {
			strata = append(strata, stats.Stratum{Weight: 1, Paired: stats.NewPaired(atMargin(random, n, 0.1, delta), nil)})
		}
		return stats.Pool(strata).Interval(0.90).Low > -delta
	})
	require.LessOrEqual(t, stats.Wilson(passed, runs, 0.998).Low, 0.05, "%d passed", passed)
}

// Copies of an item within its cluster are no new evidence.
func TestPaired_ClustersKeepTheirLevel(t *testing.T) {
	const runs, delta = 2000, 0.05
	random := rand.New(rand.NewPCG(5, 5))
	for _, groups := range []int{20, 100} {
		passed := size(runs/(1+200/(5*groups)), func() bool {
			var d []float64
			var cluster []int32
			for g, x := range atMargin(random, groups, 0.2, delta) {
				for range 1 + random.IntN(8) {
					d, cluster = append(d, x), append(cluster, int32(g))
				}
			}
			return stats.NewPaired(d, cluster).NonInferior(delta, 0.05, 1)
		})
		require.LessOrEqual(t, stats.Wilson(passed, runs/(1+200/(5*groups)), 0.998).Low, 0.05, "%d clusters: %d passed", groups, passed)
	}
}

// binomial draws a count by jumping from failure to failure.
func binomial(random *rand.Rand, n int, p float64) int {
	k := 0
	for at := math.Floor(math.Log(1-random.Float64()) / math.Log1p(-p)); at < float64(n); k++ {
		at += 1 + math.Floor(math.Log(1-random.Float64())/math.Log1p(-p))
	}
	return k
}

// canary runs 30 minutes with a look each 30 seconds, a tenth of the traffic on the canary. It says whether
// the test stopped and after how many looks.
func canary(random *rand.Rand, perSecond int, base, rate float64) (stopped bool, looks int) {
	e := stats.NewEProcess(0.01, 1.2)
	for looks = 1; looks <= 60; looks++ {
		baseN, canaryN := 27*perSecond, 3*perSecond
		if _, stop := e.Observe(baseN, binomial(random, baseN, base), canaryN, binomial(random, canaryN, rate)); stop {
			return true, looks
		}
	}
	return false, 60
}

func stops(random *rand.Rand, runs, perSecond int, base, rate float64) (stopped int, minutes float64) {
	for range runs {
		stop, looks := canary(random, perSecond, base, rate)
		if stop {
			stopped++
			minutes += float64(looks) / 2
		}
	}
	return stopped, minutes / math.Max(1, float64(stopped))
}

// Under no rise E reaches 1/α in at most α of runs, however often one looks: in each setting chance allows it, over ten
// thousand runs it is shown.
func TestEProcess_FalseAlarms(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	alarms, all := 0, 0
	for _, c := range []struct {
		runs, perSecond int
		base            float64
	}{{6000, 2, 0.01}, {2000, 20, 0.01}, {1000, 2, 0.001}, {1000, 2, 0.2}} {
		stopped, _ := stops(random, c.runs, c.perSecond, c.base, c.base)
		t.Logf("%d rps, %v errors: %d false alarms in %d", c.perSecond, c.base, stopped, c.runs)
		require.LessOrEqual(t, stats.Wilson(stopped, c.runs, 0.998).Low, 0.01)
		alarms, all = alarms+stopped, all+c.runs
	}
	require.LessOrEqual(t, stats.Wilson(alarms, all, 0.998).High, 0.01)
}

// Whatever the stopping: a look after every request of the canary, and only the largest E counts.
func TestEProcess_FalseAlarmsWithALookAfterEveryCanaryRequest(t *testing.T) {
	const runs = 2000
	random := rand.New(rand.NewPCG(12, 12))
	alarms := 0
	for range runs {
		e := stats.NewEProcess(0.01, 1.2)
		for range 300 {
			e.Observe(9, binomial(random, 9, 0.05), 1, binomial(random, 1, 0.05))
		}
		if e.Stopped {
			alarms++
		}
	}
	t.Logf("%d false alarms in %d", alarms, runs)
	require.LessOrEqual(t, stats.Wilson(alarms, runs, 0.98).High, 0.01)
}

func TestEProcess_FindsARise(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	stopped, minutes := stops(random, 1000, 2, 0.01, 0.05)
	t.Logf("1%% → 5%% at 2 rps: %d of 1000 in %.1f min", stopped, minutes)
	require.GreaterOrEqual(t, stats.Wilson(stopped, 1000, 0.998).Low, 0.85)
	stopped, minutes = stops(random, 200, 20, 0.01, 0.03)
	t.Logf("1%% → 3%% at 20 rps: %d of 200 in %.1f min", stopped, minutes)
	require.GreaterOrEqual(t, stopped, 196)
}

// A judge without memory between ticks goes on from the state it saved.
func TestEProcess_GoesOnFromItsState(t *testing.T) {
	whole, parts := stats.NewEProcess(0.01, 1.2), stats.NewEProcess(0.01, 1.2)
	for tick := range 20 {
		want, wantStop := whole.Observe(54, tick%2, 6, tick%3)
		saved, err := json.Marshal(parts)
		require.NoError(t, err)
		parts = new(stats.EProcess)
		require.NoError(t, json.Unmarshal(saved, parts))
		got, gotStop := parts.Observe(54, tick%2, 6, tick%3)
		require.Equal(t, want, got)
		require.Equal(t, wantStop, gotStop)
	}
	require.True(t, parts.Stopped)
	_, stop := parts.Observe(1000, 500, 1000, 0)
	require.True(t, stop, "once stopped, stopped")
}

func TestEProcess_NoTrafficChangesNothing(t *testing.T) {
	e := stats.NewEProcess(0.01, 1.2)
	value, stop := e.Observe(0, 0, 0, 0)
	require.Equal(t, 1.0, value)
	require.False(t, stop)
	value, _ = e.Observe(100, 1, 0, 0)
	require.InDelta(t, 1, value, 1e-9)
}

func latencies(random *rand.Rand, n int, shift float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = shift + 0.5*random.NormFloat64()
	}
	return out
}

func slower(random *rand.Rand, runs int, shift float64) int {
	stopped := 0
	for range runs {
		m := stats.NewMSPRT(0.01, 0.2)
		for range 60 {
			m.Observe(latencies(random, 54, 0), latencies(random, 6, shift))
		}
		if m.Stopped {
			stopped++
		}
	}
	return stopped
}

func TestMSPRT_FalseAlarmsAndPower(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	stopped := slower(random, 1000, 0)
	t.Logf("%d false alarms in 1000", stopped)
	require.LessOrEqual(t, stats.Wilson(stopped, 1000, 0.998).Low, 0.01)
	require.GreaterOrEqual(t, slower(random, 100, 0.3), 95)
	require.LessOrEqual(t, slower(random, 100, -0.3), 0, "a faster canary goes on")
}

func TestMixtureLR_ClosedForm(t *testing.T) {
	// n = 4, σ² = 2, τ² = 0.5, x̄ = 1: √(2/4)·exp(16·0.5/(2·2·4)) = √½·e^½.
	require.InDelta(t, math.Sqrt(0.5)*math.Exp(0.5), stats.MixtureLR(4, 2, math.Sqrt(0.5), 1), 1e-12)
}

func ExampleTangoInterval() {
	ci := stats.TangoInterval(12, 8, 100, 0.95)
	fmt.Printf("%.3f %.3f\n", ci.Low, ci.High)
	// Output: -0.051 0.133
}

// Scores between 0 and 1, such as ROUGE-L: noise on every item, or rare and complete losses among partial ones.
func TestPaired_NonInferior_KeepsItsLevelForPartialScores(t *testing.T) {
	const runs = 1500
	random := rand.New(rand.NewPCG(9, 9))
	noisy := func(delta float64) float64 {
		return math.Max(-1, math.Min(1, -delta+0.1*random.NormFloat64()))
	}
	skewed := func(delta float64) float64 {
		switch u := random.Float64(); {
		case u < delta:
			return -1
		case u < delta+0.1:
			return 0.25 * float64(1-2*random.IntN(2))
		}
		return 0
	}
	for name, draw := range map[string]func(float64) float64{"noisy": noisy, "skewed": skewed} {
		for _, n := range []int{50, 150, 500} {
			for _, delta := range []float64{0.01, 0.03} {
				passed := size(runs, func() bool {
					d := make([]float64, n)
					for i := range d {
						d[i] = draw(delta)
					}
					return stats.NewPaired(d, nil).NonInferior(delta, 0.05, 1)
				})
				t.Logf("%s n=%d delta=%v: %d of %d", name, n, delta, passed, runs)
				require.LessOrEqual(t, stats.Wilson(passed, runs, 0.998).Low, 0.05)
			}
		}
	}
}

// Small differences on every item are found with the power that their size allows.
func TestPaired_Interval_IsNarrowForSmallDifferences(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 10))
	d := make([]float64, 400)
	for i := range d {
		d[i] = 0.1 * random.NormFloat64()
	}
	ci := stats.NewPaired(d, nil).Interval(0.95)
	require.Less(t, ci.High-ci.Low, 0.035)
	require.Greater(t, ci.High-ci.Low, 0.0195)
}

// The canary's test over many more runs than the tests draw: share stopped, and minutes until then.
func BenchmarkEProcess_OperatingCharacteristics(b *testing.B) {
	for name, c := range map[string]struct {
		perSecond int
		rate      float64
	}{"equal2rps": {2, 0.01}, "equal20rps": {20, 0.01}, "5%at2rps": {2, 0.05}, "3%at20rps": {20, 0.03}} {
		b.Run(name, func(b *testing.B) {
			random, runs := rand.New(rand.NewPCG(11, 11)), max(b.N, 20_000)
			stopped, minutes := stops(random, runs, c.perSecond, 0.01, c.rate)
			b.ReportMetric(100*float64(stopped)/float64(runs), "stopped%")
			b.ReportMetric(minutes, "minutes")
		})
	}
}
