package gate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/perennial-llm/perennial/pkg/gate"
)

// drawn makes both sides of a few benchmarks with any mix of scores, clusters, errors and golden items.
func drawn(t *rapid.T) (old, now []gate.Result) {
	fractions := rapid.Bool().Draw(t, "fractions")
	clustered := rapid.Bool().Draw(t, "clustered")
	score := rapid.Map(rapid.IntRange(0, 1), func(i int) float64 { return float64(i) })
	if fractions {
		score = rapid.Map(rapid.IntRange(0, 10), func(i int) float64 { return float64(i) / 10 })
	}
	for bench := range rapid.IntRange(1, 4).Draw(t, "benchmarks") {
		name := fmt.Sprint("b", bench)
		for i := range rapid.IntRange(1, 60).Draw(t, "items") {
			r := gate.Result{Benchmark: name, Lock: "sha256:" + name, Capability: []string{"k", "r"}[i%2], Item: fmt.Sprint(i), MustPass: i == 7}
			if clustered && i%3 != 0 {
				r.Cluster = fmt.Sprint("c", i/5)
			}
			o, n := r, r
			o.Score, n.Score = score.Draw(t, "old"), score.Draw(t, "new")
			if i == 11 && rapid.Bool().Draw(t, "error") {
				n.Error = "scorer failed"
			}
			old, now = append(old, o), append(now, n)
		}
	}
	return old, now
}

func TestDecide_Property_OrderOfItemsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, now := drawn(t)
		want := report(t, old, now)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for _, side := range [][]gate.Result{old, now} {
			random.Shuffle(len(side), func(i, j int) { side[i], side[j] = side[j], side[i] })
		}
		require.Equal(t, want.Digest(), report(t, old, now).Digest())
	})
}

func report(t require.TestingT, old, now []gate.Result) gate.Report {
	r, err := gate.Decide(gate.OneMachinePolicy(), gate.Input{Incumbent: gate.Slice(old), Candidate: gate.Slice(now)})
	require.NoError(t, err)
	return r
}

func TestDecide_Property_SwappingSidesMirrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, now := drawn(t)
		there, back := report(t, old, now), report(t, now, old)
		mirrored(t, there.Pooled, back.Pooled)
		for i := range there.Capabilities {
			mirrored(t, there.Capabilities[i], back.Capabilities[i])
		}
		for i := range there.Benchmarks {
			mirrored(t, there.Benchmarks[i], back.Benchmarks[i])
		}
		require.Equal(t, there.Flips.Negative, back.Flips.Positive)
		require.Equal(t, len(there.Gained), len(back.Forgotten))
		for i := range there.Gained {
			require.Equal(t, there.Gained[i].OldScore, back.Forgotten[i].NewScore)
		}
	})
}

func mirrored(t require.TestingT, a, b gate.Comparison) {
	require.InDelta(t, a.Delta, -b.Delta, 1e-9)
	require.InDelta(t, a.CI95.Low, -b.CI95.High, 1e-9)
	require.InDelta(t, a.CI95.High, -b.CI95.Low, 1e-9)
	require.InDelta(t, a.Lower, -b.Upper, 1e-9)
	require.Equal(t, a.OldMean, b.NewMean)
	require.Equal(t, a.Gained, b.Forgotten)
	require.Equal(t, a.N, b.N)
}

// Copies of an item within its cluster are no new evidence: no interval shrinks, whatever the scores and the clusters.
func TestDecide_Property_DuplicatesInAClusterDoNotShrinkTheInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int{1, 10}).Draw(t, "steps of a score")
		score := rapid.Map(rapid.IntRange(0, most), func(i int) float64 { return float64(i) / float64(most) })
		var old, now []gate.Result
		for i := range rapid.IntRange(2, 80).Draw(t, "items") {
			r := gate.Result{Benchmark: "b", Lock: "l", Capability: "k", Item: fmt.Sprint(i), Cluster: fmt.Sprint(i)}
			o, n := r, r
			o.Score, n.Score = score.Draw(t, "old"), score.Draw(t, "new")
			old, now = append(old, o), append(now, n)
		}
		before := report(t, old, now)
		copied := rapid.IntRange(0, len(old)-1).Draw(t, "which")
		for k := range rapid.IntRange(1, 100).Draw(t, "copies") {
			o, n := old[copied], now[copied]
			o.Item = fmt.Sprint("copy ", k)
			n.Item = o.Item
			old, now = append(old, o), append(now, n)
		}
		after := report(t, old, now)
		noNarrower(t, before.Pooled, after.Pooled)
		noNarrower(t, before.Capabilities[0], after.Capabilities[0])
		noNarrower(t, before.Benchmarks[0], after.Benchmarks[0])
	})
}

func noNarrower(t require.TestingT, before, after gate.Comparison) {
	require.GreaterOrEqual(t, after.CI95.High-after.CI95.Low, before.CI95.High-before.CI95.Low-1e-9)
	require.GreaterOrEqual(t, after.Upper-after.Lower, before.Upper-before.Lower-1e-9)
}

func TestDecide_Property_NeverPassesOnTooLittle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 199).Draw(t, "items")
		old, now := pair("a", "knowledge", n, 0, 0)
		r, err := gate.Decide(gate.DefaultPolicy(), gate.Input{Incumbent: gate.Slice(old), Candidate: gate.Slice(now)})
		require.NoError(t, err)
		require.NotEqual(t, gate.Pass, r.Verdict)
		require.NotEmpty(t, r.Reasons)
	})
}
