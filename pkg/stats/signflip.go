package stats

import "math/rand/v2"

// SmallClusters is the number of clusters under which the normal approximation is not trusted.
const SmallClusters = 50

// SignFlipDraws is the number of random sign patterns drawn by SignFlip.
const SignFlipDraws = 10_000

// SignFlip is the one-sided permutation p-value for H₀: mean difference ≤ delta, by flipping the signs of
// whole clusters about delta: all patterns when there are at most 13 clusters, else SignFlipDraws of them
// from the seed, counting the observed one (Phipson and Smyth 2010). Order of clusters changes only the
// draws; sort them where that matters.
//
// Source: Dwass M. (1957), Annals of Mathematical Statistics 28:181–187.
func SignFlip(clusters []Cluster, delta float64, seed uint64) float64 {
	if len(clusters) == 0 {
		return 1
	}
	x := make([]float64, len(clusters))
	observed := 0.0
	for i, c := range clusters {
		x[i] = c.Sum - delta*float64(c.Size)
		observed += x[i]
	}
	if len(x) <= 13 {
		return allFlips(x, observed)
	}
	return drawnFlips(x, observed, seed)
}

// tie absorbs rounding, so that a pattern equal to the observed one counts.
const tie = 1e-12

func allFlips(x []float64, observed float64) float64 {
	hits, total := 0, 1<<len(x)
	for pattern := range total {
		sum := 0.0
		for i, v := range x {
			sum += flip(v, uint64(pattern)>>i)
		}
		if sum >= observed-tie {
			hits++
		}
	}
	return float64(hits) / float64(total)
}

func drawnFlips(x []float64, observed float64, seed uint64) float64 {
	random := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	hits := 1
	for range SignFlipDraws {
		if randomSum(x, random) >= observed-tie {
			hits++
		}
	}
	return float64(hits) / float64(SignFlipDraws+1)
}

func randomSum(x []float64, random *rand.Rand) float64 {
	sum, bits := 0.0, uint64(0)
	for i, v := range x {
		if i%64 == 0 {
			bits = random.Uint64()
		}
		sum += flip(v, bits>>(i%64))
	}
	return sum
}

func flip(v float64, bit uint64) float64 {
	if bit&1 == 1 {
		return v
	}
	return -v
}
