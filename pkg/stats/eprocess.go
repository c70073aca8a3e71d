package stats

import "math"

// EProcess tests, tick by tick and valid whenever one stops to look, whether the canary errs more often than
// the baseline. Under "no more often" the chance that E ever reaches 1/α is at most α (Ville's inequality).
// It is a plain value: marshal it between ticks and go on elsewhere.
//
// Each tick multiplies E by the likelihood of the tick's counts under rates (θa, θb) over that under the one
// rate θ0 = (na·θa + nb·θb)/(na + nb). θa comes from past ticks alone, θb is a ratio r ≥ MinRatio times θa,
// and E is the mean over a few r, so that small and large rises are both found early.
//
// Source: Turner, Ly, Grünwald (2024), Safe tests and always-valid confidence intervals for contingency
// tables and beyond, Statistics & Probability Letters 198:109835 (2×2 E-variables).
type EProcess struct {
	Alpha    float64   `json:"alpha"`
	MinRatio float64   `json:"minRatio"`
	BaseN    int       `json:"baseN"`
	BaseK    int       `json:"baseK"`
	CanaryN  int       `json:"canaryN"`
	CanaryK  int       `json:"canaryK"`
	LogE     []float64 `json:"logE"`    // one per ratio of ratios
	MaxE     float64   `json:"maxE"`    // largest E so far
	Stopped  bool      `json:"stopped"` // E has reached 1/α
}

// ratios are the rises bet on, as multiples of the smallest rise of interest.
var ratios = [...]float64{1, 1.5, 2.5, 4, 8}

// NewEProcess starts a test at level alpha (such as 0.01) for rises of at least minRatio (such as 1.2) times
// the baseline's error rate.
func NewEProcess(alpha, minRatio float64) *EProcess {
	return &EProcess{Alpha: alpha, MinRatio: minRatio, LogE: make([]float64, len(ratios)), MaxE: 1}
}

// Observe adds a tick: of baseN baseline requests baseK failed, of canaryN canary requests canaryK failed.
// It returns E after the tick and whether the canary should be stopped; stop stays true once reached.
func (e *EProcess) Observe(baseN, baseK, canaryN, canaryK int) (value float64, stop bool) {
	base := e.baseRate()
	for i, r := range ratios {
		e.LogE[i] += logLikelihoodRatio(base, math.Min(0.99, base*e.MinRatio*r), baseN, baseK, canaryN, canaryK)
	}
	e.BaseN, e.BaseK = e.BaseN+baseN, e.BaseK+baseK
	e.CanaryN, e.CanaryK = e.CanaryN+canaryN, e.CanaryK+canaryK
	value = e.Value()
	e.MaxE = math.Max(e.MaxE, value)
	e.Stopped = e.Stopped || value >= 1/e.Alpha
	return value, e.Stopped
}

// baseRate is the plug-in rate from past ticks of the baseline, with a prior of ½ error in 50 requests so
// that it is never 0 or 1.
func (e *EProcess) baseRate() float64 { return (float64(e.BaseK) + 0.5) / (float64(e.BaseN) + 50) }

// Value is the current E: the mean of the bets.
func (e *EProcess) Value() float64 {
	sum := 0.0
	for _, l := range e.LogE {
		sum += math.Exp(math.Min(l, 700))
	}
	return sum / float64(len(e.LogE))
}

func logLikelihoodRatio(a, b float64, an, ak, bn, bk int) float64 {
	if an+bn == 0 {
		return 0
	}
	both := (float64(an)*a + float64(bn)*b) / float64(an+bn)
	return term(a, both, an, ak) + term(b, both, bn, bk)
}

func term(rate, both float64, n, k int) float64 {
	return float64(k)*math.Log(rate/both) + float64(n-k)*(math.Log1p(-rate)-math.Log1p(-both))
}
