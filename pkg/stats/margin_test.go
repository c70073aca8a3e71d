package stats_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/stats"
)

// passProbability is exact: the chance that a candidate whose true loss is the margin passes, over all counts.
func passProbability(n int, psi, margin float64) float64 {
	up, down := (psi-margin)/2, (psi+margin)/2
	most := min(n, int(float64(n)*psi+7*math.Sqrt(float64(n)*psi))+10)
	total := 0.0
	for c := 0; c <= most; c++ {
		for b := 0; b+c <= most && (b == 0 || up > 0); b++ {
			if p := multinomial(n, b, c, up, down); p > 1e-9 && passes(n, b, c, margin) {
				total += p
			}
		}
	}
	return total
}

func multinomial(n, b, c int, up, down float64) float64 {
	lg := func(k int) float64 { v, _ := math.Lgamma(float64(k) + 1); return v }
	log := lg(n) - lg(b) - lg(c) - lg(n-b-c) + float64(c)*math.Log(down) + float64(n-b-c)*math.Log1p(-up-down)
	if b > 0 {
		log += float64(b) * math.Log(up)
	}
	return math.Exp(log)
}

func passes(n, b, c int, margin float64) bool {
	flips := float64(b + c)
	p := stats.Paired{N: n, Sum: float64(b - c), SumSq: flips, Up: float64(b), UpSq: float64(b), Down: float64(c), Better: b, Worse: c, Binary: true}
	return p.NonInferior(margin, 0.05, 1)
}

func TestNonInferior_AtTheMarginPassesAtMostFivePercent(t *testing.T) {
	for _, n := range []int{50, 100, 164, 200, 300, 500, 1000, 2000} {
		for _, margin := range []float64{0.01, 0.02, 0.03, 0.08} {
			for _, psi := range []float64{margin, 1.5 * margin, 0.05, 0.1} {
				if psi >= margin {
					require.LessOrEqual(t, passProbability(n, psi, margin), 0.05, fmt.Sprintf("%d items, margin %v, flips %v", n, margin, psi))
				}
			}
		}
	}
}

// Equal models with the number of pairs that ItemsToExclude names exclude the margin in about four of five cases, by
// exact calculation.
func TestItemsToExclude_HasItsPower(t *testing.T) {
	for _, c := range []struct{ psi, margin float64 }{{0.1, 0.03}, {0.05, 0.02}, {0.2, 0.08}, {0.02, 0.02}} {
		n := stats.ItemsToExclude(c.psi, c.margin, 0.05)
		require.InDelta(t, 0.8, powerOfEqual(n, c.psi, c.margin), 0.06, "%d items, margin %v, flips %v", n, c.margin, c.psi)
		require.InEpsilon(t, stats.SampleSize(c.psi, c.margin, 0.05), n, 0.4, "near the first-order form")
	}
	require.InDelta(t, 304, stats.ItemsToExclude(0, 0.01, 0.05), 2, "no flips still need z²/margin pairs and the guard")
	require.Zero(t, stats.ItemsToExclude(0.1, 0, 0.05))
}

func powerOfEqual(n int, psi, margin float64) (total float64) {
	most := int(float64(n)*psi/2+7*math.Sqrt(float64(n)*psi)) + 10
	for c := range most {
		for b := range most {
			if b+c <= n && passes(n, b, c, margin) {
				total += multinomial(n, b, c, psi/2, psi/2)
			}
		}
	}
	return total
}
