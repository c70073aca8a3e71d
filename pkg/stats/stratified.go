package stats

import "math"

// Stratum is one benchmark's part of a pooled comparison.
type Stratum struct {
	Weight float64 // any positive scale; Pool divides by the sum
	Paired Paired
}

// Pooled is the outcome of Pool: a weighted mean difference with its standard error.
type Pooled struct {
	Estimate float64
	SE       float64
	N        int // items
}

// Pool combines strata: d = Σwᵢdᵢ, Var = Σwᵢ²Varᵢ, with Σwᵢ = 1. Empty strata are left out. No items at all
// give estimate 0 with standard error 1.
//
// Source: stratified estimator (Cochran 1977, Sampling Techniques, 3rd ed., section 5.3) of paired
// differences with the smoothed variance of Paired.Variance.
func Pool(strata []Stratum) Pooled {
	var weight float64
	out := Pooled{}
	for _, s := range strata {
		if s.Paired.N > 0 {
			weight += s.Weight
			out.N += s.Paired.N
		}
	}
	if weight == 0 {
		return Pooled{SE: 1}
	}
	variance := 0.0
	for _, s := range strata {
		if s.Paired.N > 0 {
			w := s.Weight / weight
			out.Estimate += w * s.Paired.Estimate()
			variance += w * w * s.Paired.Variance()
		}
	}
	out.SE = math.Sqrt(variance)
	return out
}

// Z is the statistic for H₀: difference = delta; large when the data lie above it.
func (p Pooled) Z(delta float64) float64 { return (p.Estimate - delta) / p.SE }

// Interval is the normal confidence interval.
func (p Pooled) Interval(conf float64) Interval { return NormalInterval(p.Estimate, p.SE, conf) }
