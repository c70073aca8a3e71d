package stats_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/stats"
)

// A company's facts go from none to nearly all. What is added to their spread must not eat it up: the pooled
// interval stands on it.
func TestVariance_HoldsWhenNearlyAllFlipAlike(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{32, 100, 1000} {
		for _, up := range []float64{0, 0.1, 0.5, 0.9, 1} {
			for _, size := range []int{1, 2, 5} {
				p := flips(chance, n, up, size)
				floor := max(p.MillerSE(), 0.5/float64(p.Units()))
				require.GreaterOrEqual(t, p.SE(), 0.95*floor, "%d items in clusters of %d, %v gained", n, size, up)
				require.LessOrEqual(t, p.SE(), 1.5*p.MillerSE()+2/float64(p.Units()), "%d items in clusters of %d, %v gained", n, size, up)
			}
		}
	}
}

// flips are n items in clusters of a size; a cluster's items mostly go together.
func flips(chance *rand.Rand, n int, up float64, size int) stats.Paired {
	d, cluster := make([]float64, n), make([]int32, n)
	for i := range d {
		cluster[i] = int32(i / size)
		if i%size > 0 && chance.Float64() < 0.7 {
			d[i] = d[i-1]
		} else if chance.Float64() < up {
			d[i] = 1
		}
	}
	if size == 1 {
		cluster = nil
	}
	return stats.NewPaired(d, cluster)
}
