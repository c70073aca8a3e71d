package stats

import "math"

// Wilson is the score interval of a proportion k/n; (0, 1) when n is 0.
//
// Source: Wilson E. B. (1927), Journal of the American Statistical Association 22:209–212.
func Wilson(k, n int, conf float64) Interval {
	if n == 0 {
		return Interval{0, 1}
	}
	z := NormalQuantile(0.5 + conf/2)
	p, m := float64(k)/float64(n), float64(n)
	center := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Interval{math.Max(0, center-half), math.Min(1, center+half)}
}
