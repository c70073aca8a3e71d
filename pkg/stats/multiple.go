package stats

import "sort"

// Holm gives each p-value adjusted by Holm's step-down method, in the given order: a hypothesis is rejected
// at family-wise level alpha iff its adjusted value is ≤ alpha.
//
// Source: Holm S. (1979), Scandinavian Journal of Statistics 6:65–70.
func Holm(p []float64) []float64 {
	order := ascending(p)
	out := make([]float64, len(p))
	running := 0.0
	for rank, i := range order {
		running = max(running, min(1, p[i]*float64(len(p)-rank)))
		out[i] = running
	}
	return out
}

// BenjaminiHochberg gives each p-value adjusted for the false-discovery rate, in the given order. For
// exploration only: the gate uses Holm.
//
// Source: Benjamini Y., Hochberg Y. (1995), Journal of the Royal Statistical Society B 57:289–300.
func BenjaminiHochberg(p []float64) []float64 {
	order := ascending(p)
	out := make([]float64, len(p))
	running := 1.0
	for rank := len(order) - 1; rank >= 0; rank-- {
		i := order[rank]
		running = min(running, p[i]*float64(len(p))/float64(rank+1))
		out[i] = running
	}
	return out
}

func ascending(p []float64) []int {
	order := identity(len(p))
	sort.SliceStable(order, func(a, b int) bool { return p[order[a]] < p[order[b]] })
	return order
}

func identity(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}
