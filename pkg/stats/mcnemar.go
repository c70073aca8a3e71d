package stats

import "math"

// McNemarWorse is the exact one-sided McNemar p-value for "the candidate is worse": P(Bin(b+c, ½) ≤ b),
// where b items are right only on the candidate's side and c only on the incumbent's. No flips give 1.
//
// Source: McNemar Q. (1947), Psychometrika 12:153–157; exact form as in Fagerland et al. (2013),
// BMC Medical Research Methodology 13:91.
func McNemarWorse(b, c int) float64 { return BinomialCDF(b, b+c, 0.5) }

// McNemar is the exact two-sided p-value: twice the smaller tail, at most 1.
func McNemar(b, c int) float64 { return math.Min(1, 2*BinomialCDF(min(b, c), b+c, 0.5)) }

// BinomialCDF gives P(Bin(n, p) ≤ k) by summing terms downward from k (or upward from k+1, whichever tail
// is the smaller), each from the last; the sum ends when terms no longer count.
func BinomialCDF(k, n int, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n || p <= 0:
		return 1
	case p >= 1:
		return 0
	case float64(k) >= float64(n)*p:
		return 1 - lowerTail(n-k-1, n, 1-p)
	}
	return lowerTail(k, n, p)
}

// lowerTail sums P(X = j) for j = k, k−1 … 0; k lies below the mean or just above it.
func lowerTail(k, n int, p float64) float64 {
	if k < 0 {
		return 0
	}
	term := math.Exp(logBinomial(k, n, p))
	sum := term
	for j := k; j > 0 && term > sum*1e-18; j-- {
		term *= float64(j) / float64(n-j+1) * (1 - p) / p
		sum += term
	}
	return math.Min(1, sum)
}

func logBinomial(k, n int, p float64) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p)
}
