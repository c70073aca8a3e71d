// Package stats holds the platform's statistics, once: paired tests for the gate, corrections for many
// tests, and anytime-valid tests for the canary. Everything is pure and deterministic, seeds included.
// Probabilities are 0…1, differences are candidate minus incumbent in the same unit as the scores.
package stats

import "math"

// Interval is a two-sided confidence interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// NormalCDF gives P(Z ≤ x) for a standard normal Z.
func NormalCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// NormalQuantile gives the x with P(Z ≤ x) = p, for p in (0,1); ±Inf at the ends. A Newton step mends the
// tails, where math.Erfcinv loses digits.
func NormalQuantile(p float64) float64 {
	x := -math.Sqrt2 * math.Erfcinv(2*p)
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
	return x - (NormalCDF(x)-p)/density
}

// MDE is the smallest true difference that n pairs with flip rate psi find with power 80% in a one-sided
// test at alpha: (z₁₋α + z₀.₈)·√(ψ/n), that is 2.486·√(ψ/n) at α = 5% (Connor 1987, Biometrics 43:207,
// first-order form). It is 1 where n is 0: nothing smaller can be seen.
func MDE(n int, psi, alpha float64) float64 {
	if n == 0 {
		return 1
	}
	return math.Min(1, DetectableSE(math.Sqrt(psi/float64(n)), alpha))
}

// DetectableSE gives the difference found with power 80% when the difference has standard error se.
func DetectableSE(se, alpha float64) float64 {
	return (NormalQuantile(1-alpha) + NormalQuantile(0.8)) * se
}

// SampleSize inverts MDE: how many pairs find a difference of delta at flip rate psi.
func SampleSize(psi, delta, alpha float64) int {
	z := NormalQuantile(1-alpha) + NormalQuantile(0.8)
	return int(math.Ceil(z * z * psi / (delta * delta)))
}

// ItemsToExclude is about how many pairs of equal models with flip rate psi exclude a loss of margin, by Paired.Bounds
// at one-sided level alpha, with power 80%. It is SampleSize for Tango's bound in place of the normal one: without any
// flip it still asks for about z²/margin pairs. A margin of 0 or less can never be excluded and gives 0.
func ItemsToExclude(psi, margin, alpha float64) int {
	if !(margin > 0) {
		return 0
	}
	low, high := 0, 1
	for ; high < 1<<40 && !excludes(float64(high), psi, margin, alpha); high *= 2 {
		low = high
	}
	for high-low > 1 {
		mid := (low + high) / 2
		if excludes(float64(mid), psi, margin, alpha) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// excludes looks at n pairs with the loss that equal models show at worst in four of five cases.
func excludes(n, psi, margin, alpha float64) bool {
	unlucky := math.Min(psi, NormalQuantile(0.8)*math.Sqrt(psi/n))
	return TangoLower(n*(psi-unlucky)/2, n*(psi+unlucky)/2, n, alpha)-guard/n > -margin
}
