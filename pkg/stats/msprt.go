package stats

import "math"

// MSPRT is a mixture sequential probability ratio test for "the mean difference is 0", valid whenever one
// stops to look; used for log-latency. The mean difference of the arms after n pairs of observations with
// variance σ² has the normal prior N(0, τ²) under the alternative:
//
//	Λ = √(σ²/(σ² + nτ²)) · exp(n²τ²x̄² / (2σ²(σ² + nτ²))), reject at Λ ≥ 1/α.
//
// Source: Robbins H. (1970), Annals of Mathematical Statistics 41:1397–1409; Johari et al. (2022),
// Operations Research 70:1806–1821, equation 11. A plain value: marshal it between ticks.
type MSPRT struct {
	Alpha   float64 `json:"alpha"`
	Tau     float64 `json:"tau"` // prior standard deviation of the difference: the size of change of interest
	Base    Moments `json:"base"`
	Canary  Moments `json:"canary"`
	MaxLR   float64 `json:"maxLr"`
	Stopped bool    `json:"stopped"`
}

// Moments are running sums of observations.
type Moments struct {
	N     int     `json:"n"`
	Sum   float64 `json:"sum"`
	SumSq float64 `json:"sumSq"`
}

// Add counts one observation.
func (m *Moments) Add(x float64) { m.N, m.Sum, m.SumSq = m.N+1, m.Sum+x, m.SumSq+x*x }

// Mean is the sample mean, 0 when empty.
func (m Moments) Mean() float64 { return m.Sum / math.Max(1, float64(m.N)) }

// Variance is the sample variance, 0 below two observations.
func (m Moments) Variance() float64 {
	if m.N < 2 {
		return 0
	}
	n := float64(m.N)
	return math.Max(0, (m.SumSq-m.Sum*m.Sum/n)/(n-1))
}

// NewMSPRT starts a test at level alpha with prior width tau (0.2 suits log-latency: about ±20%).
func NewMSPRT(alpha, tau float64) *MSPRT { return &MSPRT{Alpha: alpha, Tau: tau, MaxLR: 1} }

// minimumForVariance keeps the plug-in variance from being trusted on a handful of observations.
const minimumForVariance = 30

// Observe adds a tick's observations of both arms and returns Λ and whether the canary is slower with
// confidence; stop stays true once reached. A faster canary never stops it.
func (m *MSPRT) Observe(base, canary []float64) (lr float64, stop bool) {
	for _, x := range base {
		m.Base.Add(x)
	}
	for _, x := range canary {
		m.Canary.Add(x)
	}
	lr = m.Value()
	m.MaxLR = math.Max(m.MaxLR, lr)
	slower := m.Canary.Mean() > m.Base.Mean()
	m.Stopped = m.Stopped || (slower && lr >= 1/m.Alpha)
	return lr, m.Stopped
}

// Value is the current Λ; 1 until each arm has 30 observations. With unequal arms n is their harmonic size
// 2·na·nb/(na+nb) and σ² the variance of one pair's difference.
func (m *MSPRT) Value() float64 {
	if min(m.Base.N, m.Canary.N) < minimumForVariance {
		return 1
	}
	na, nb := float64(m.Base.N), float64(m.Canary.N)
	va, vb := m.Base.Variance(), m.Canary.Variance()
	n := 2 * na * nb / (na + nb)
	variance := math.Max(1e-12, n*(va/na+vb/nb))
	return MixtureLR(n, variance, m.Tau, m.Canary.Mean()-m.Base.Mean())
}

// MixtureLR is Λ itself for n pairs, variance σ² of one difference, prior width tau and mean difference x.
func MixtureLR(n, variance, tau, x float64) float64 {
	t := tau * tau
	exponent := n * n * t * x * x / (2 * variance * (variance + n*t))
	return math.Sqrt(variance/(variance+n*t)) * math.Exp(math.Min(exponent, 700))
}
