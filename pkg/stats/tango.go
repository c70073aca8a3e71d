package stats

import "math"

// TangoZ is Tango's score statistic for the difference of two paired proportions, under H₀: difference =
// delta, where of n pairs b are right only on the candidate's side and c only on the incumbent's.
// It is large when the data lie above delta. Counts may be fractional (design-effect adjusted).
//
// Source: Tango T. (1998), Equivalence test and confidence interval for the difference in proportions for
// the paired-sample design. Statistics in Medicine 17:891–908, equations 10 and 12.
func TangoZ(b, c, n, delta float64) float64 {
	if n <= 0 {
		return 0
	}
	num := b - c - n*delta
	q := tangoNuisance(b, c, n, delta)
	variance := n * (2*q + delta*(1-delta))
	if variance <= 0 {
		return signedInf(num)
	}
	return num / math.Sqrt(variance)
}

// tangoNuisance is the maximum-likelihood probability of "only the incumbent is right" given delta.
func tangoNuisance(b, c, n, delta float64) float64 {
	qa := 2 * n
	qb := -b - c + (2*n-b+c)*delta
	qc := -c * delta * (1 - delta)
	return (math.Sqrt(math.Max(0, qb*qb-4*qa*qc)) - qb) / (2 * qa)
}

func signedInf(x float64) float64 {
	switch {
	case x > 0:
		return math.Inf(1)
	case x < 0:
		return math.Inf(-1)
	}
	return 0
}

// TangoInterval inverts TangoZ: the differences not rejected at two-sided level 1−conf.
// It needs no flips to be honest: with none, it still has a width. n ≤ 0 gives (−1, 1).
func TangoInterval(b, c, n, conf float64) Interval {
	if n <= 0 {
		return Interval{-1, 1}
	}
	z := NormalQuantile(0.5 + conf/2)
	return Interval{Low: tangoRoot(b, c, n, z), High: -tangoRoot(c, b, n, z)}
}

// tangoRoot finds the delta below the estimate at which TangoZ falls to z. TangoZ falls in delta.
func tangoRoot(b, c, n, z float64) float64 {
	low, high := -1.0, (b-c)/n
	for range 100 {
		mid := (low + high) / 2
		if mid == low || mid == high {
			break
		}
		if TangoZ(b, c, n, mid) > z {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// TangoLower is the one-sided lower bound at level alpha: non-inferiority at margin m holds iff it is > −m.
func TangoLower(b, c, n, alpha float64) float64 { return TangoInterval(b, c, n, 1-2*alpha).Low }

// TangoUpper is the one-sided upper bound at level alpha.
func TangoUpper(b, c, n, alpha float64) float64 { return TangoInterval(b, c, n, 1-2*alpha).High }
