package gate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/stats"
)

// size is one benchmark of the simulation.
type size struct {
	capability string
	items      int
}

// sizes are ten benchmarks of 164 to 1,000 items in four capabilities.
var sizes = []size{
	{"knowledge", 1000}, {"knowledge", 1000}, {"knowledge", 817}, {"reasoning", 1000}, {"reasoning", 1000},
	{"reasoning", 541}, {"instructions", 1000}, {"instructions", 300}, {"code", 1000}, {"code", 164},
}

var benchNames = [...]string{"b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9"}

var itemNames = func() (out [20000]string) {
	for i := range out {
		out[i] = fmt.Sprint(i)
	}
	return out
}()

// simulation holds both sides' results, reused from run to run.
type simulation struct {
	random   *rand.Rand
	sizes    []size
	old, now []gate.Result
}

// draw makes both sides: each item flips with rate psi, so that the true difference is shift.
func (s *simulation) draw(psi float64, shift func(bench int) float64) {
	s.old, s.now = s.old[:0], s.now[:0]
	for bench, size := range s.sizes {
		d := shift(bench)
		rate := max(psi, d, -d)
		r := gate.Result{Benchmark: benchNames[bench], Lock: "sha256:1", Capability: size.capability}
		for i := range size.items {
			r.Item = itemNames[i]
			o, n := s.pair((rate+d)/2, rate)
			r.Score = o
			s.old = append(s.old, r)
			r.Score = n
			s.now = append(s.now, r)
		}
	}
}

// pair draws one item: gained, forgotten, wrong twice or right twice.
func (s *simulation) pair(gained, flips float64) (old, now float64) {
	switch u := s.random.Float64(); {
	case u < gained:
		return 0, 1
	case u < flips:
		return 1, 0
	case u < flips+0.3:
		return 0, 0
	}
	return 1, 1
}

// outcome counts verdicts over runs, and how often the naive rule "mean ≥ 0" promotes.
type outcome struct {
	pass, review, fail, naive, runs int
}

func operate(t testing.TB, runs int, seed uint64, shift func(bench int) float64) outcome {
	t.Helper()
	return operateOn(t, scene{sizes: sizes, psi: 0.10}, runs, seed, shift)
}

// scene is benchmarks of whose items psi flip, and what a rerun of the incumbent has shown to flip down.
type scene struct {
	sizes      []size
	psi, floor float64
}

func operateOn(t testing.TB, sc scene, runs int, seed uint64, shift func(bench int) float64) outcome {
	t.Helper()
	s := simulation{random: rand.New(rand.NewPCG(seed, 7)), sizes: sc.sizes}
	out := outcome{runs: runs}
	for range runs {
		s.draw(sc.psi, shift)
		r, err := gate.Decide(gate.DefaultPolicy(), gate.Input{
			Incumbent: gate.Slice(s.old), Candidate: gate.Slice(s.now), Extras: gate.Extras{AAFloor: sc.floor},
		})
		require.NoError(t, err)
		out.count(r)
	}
	t.Logf("pass %d, review %d, fail %d, naive rule promotes %d, of %d", out.pass, out.review, out.fail, out.naive, runs)
	return out
}

func (o *outcome) count(r gate.Report) {
	switch r.Verdict {
	case gate.Pass:
		o.pass++
	case gate.Inconclusive:
		o.review++
	default:
		o.fail++
	}
	if r.Pooled.Delta >= 0 {
		o.naive++
	}
}

func flat(d float64) func(int) float64 { return func(int) float64 { return d } }

// oneSet shifts the 300-item benchmark by d and the others by rest.
func oneSet(d, rest float64) func(int) float64 {
	return func(bench int) float64 {
		if sizes[bench].items == 300 {
			return d
		}
		return rest
	}
}

// between are the bounds within which the true share lies with a confidence of 98%, 99% on each side.
func (o outcome) between(k int) stats.Interval { return stats.Wilson(k, o.runs, 0.98) }

// The promises of the gate under the default policy, in the setting in which they are given: ten benchmarks of 164 to
// 1,000 items in four capabilities, of whose items a tenth flips. Each is shown, not merely not refuted: the bound on
// the wrong side of the share keeps the promise. BenchmarkDecide_OperatingCharacteristics reports many more runs,
// BenchmarkDecide_EqualModels other settings.
func TestDecide_OperatingCharacteristics(t *testing.T) {
	equal := operate(t, 1000, 1, flat(0))
	require.GreaterOrEqual(t, equal.between(equal.pass).Low, 0.60, "equal models pass")
	require.LessOrEqual(t, equal.between(equal.fail).High, 0.07, "equal models rarely fail")

	for name, rest := range map[string]float64{"equal elsewhere": 0, "better elsewhere": 0.03} {
		lost := operate(t, 500, 3, oneSet(-0.08, rest))
		require.LessOrEqual(t, lost.between(lost.pass).High, 0.02, "a loss on one set is not outweighed: %s", name)
		require.Equal(t, rest > 0, lost.naive > lost.runs*9/10, "the naive rule promotes it where the rest gained")
	}

	better := operate(t, 120, 4, flat(0.02))
	require.GreaterOrEqual(t, better.between(better.pass).High, 0.99)
}

func BenchmarkDecide_OperatingCharacteristics(b *testing.B) {
	for name, shift := range map[string]func(int) float64{
		"equal": flat(0), "better2": flat(0.02), "lost8on300": oneSet(-0.08, 0), "lost8on300gained3": oneSet(-0.08, 0.03),
	} {
		b.Run(name, func(b *testing.B) {
			out := operate(b, max(b.N, 4000), 11, shift)
			for unit, k := range map[string]int{"pass%": out.pass, "review%": out.review, "fail%": out.fail, "naive%": out.naive} {
				b.ReportMetric(100*float64(k)/float64(out.runs), unit)
			}
		})
	}
}

// BenchmarkDecide_EqualModels reports where equal models pass: by items of each benchmark and by flips, for ten
// benchmarks in four capabilities and for one alone. Where more than 10% flip, a rerun has shown half of them. It makes
// the table of the README.
func BenchmarkDecide_EqualModels(b *testing.B) {
	for _, shape := range []struct {
		benchmarks int
		items      []int
	}{{10, []int{100, 200, 300, 500, 700, 1000, 1500}}, {1, []int{300, 700, 1500, 3000, 6000, 10000}}} {
		for _, items := range shape.items {
			alike := slices.Clone(sizes[:shape.benchmarks])
			for i := range alike {
				alike[i].items = items
			}
			for _, psi := range []float64{0.02, 0.05, 0.10, 0.15, 0.20} {
				b.Run(fmt.Sprintf("%dx%d/flips=%.0f%%", shape.benchmarks, items, 100*psi), func(b *testing.B) {
					sc := scene{sizes: alike, psi: psi}
					if psi > 0.10 {
						sc.floor = psi / 2
					}
					out := operateOn(b, sc, max(b.N, 100), 21, flat(0))
					b.ReportMetric(100*float64(out.pass)/float64(out.runs), "pass%")
					b.ReportMetric(100*float64(out.fail)/float64(out.runs), "fail%")
				})
			}
		}
	}
}
