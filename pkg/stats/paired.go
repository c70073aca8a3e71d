package stats

import (
	"math"
	"slices"
)

// Cluster is the sum over one cluster of items that depend on one another (paraphrases, one document's
// questions). A lone item is a cluster of one.
type Cluster struct {
	Sum  float64 // Σ of the differences, each in [−1, 1]
	Size int
}

// Paired sums up paired differences d = candidate − incumbent, each in [−1, 1]. The zero value is empty.
type Paired struct {
	N        int       // items
	Sum      float64   // Σd
	SumSq    float64   // Σd²
	Up       float64   // Σ of the positive d
	UpSq     float64   // Σ of their squares
	Down     float64   // Σ of the negative d, as a positive number; their squares sum to SumSq − UpSq
	Better   int       // items with d ≥ ½: "gained"
	Worse    int       // items with d ≤ −½: "forgotten"
	Binary   bool      // every d is −1, 0 or 1
	Clusters []Cluster // empty when every item stands alone
}

// Estimate is the mean difference over items, 0 when there are none.
func (p Paired) Estimate() float64 {
	if p.N == 0 {
		return 0
	}
	return p.Sum / float64(p.N)
}

// Clustered tells whether items depend on one another.
func (p Paired) Clustered() bool { return len(p.Clusters) > 0 }

// Units is the number of independent units: clusters, or items.
func (p Paired) Units() int {
	if p.Clustered() {
		return len(p.Clusters)
	}
	return p.N
}

// FlipRate is ψ̃ = (Σd² + 1)/(n + 2): the flip rate with one flip added, so that data without a flip never
// look like certainty. For binary scores Σd² = b + c.
func (p Paired) FlipRate() float64 { return (p.SumSq + 1) / float64(p.N+2) }

// Variance is the variance of Estimate; it is above 0 whatever the data.
//
// Alone: (ψ̃ − d̃²)/n. Clustered: the larger of Miller's Σ_g(Σ_{i∈g}(d_i − d̃))²/n² and the same over
// cluster means. Both over two more items or clusters, d² = ½ each, one up and one down: they count in ψ̃ and in
// the mean d̃, which they draw towards 0. A mean that stayed where it was would leave nothing when nearly all
// flip alike. The second keeps copies of an item within its cluster from shrinking it.
//
// Source: Miller E. (2024), Adding Error Bars to Evals, arXiv:2411.00640, equations 4 and 7; what is added
// follows Agresti and Min (2005), Statistics in Medicine 24:729–740.
func (p Paired) Variance() float64 {
	if p.N == 0 {
		return 1
	}
	if !p.Clustered() {
		d, n := p.Sum/float64(p.N+2), float64(p.N)
		return (p.FlipRate() - d*d) / n
	}
	return math.Max(p.itemWeighted(), p.clusterWeighted())
}

// SE is the standard error of Estimate.
func (p Paired) SE() float64 { return math.Sqrt(p.Variance()) }

func (p Paired) itemWeighted() float64 {
	g, n := float64(len(p.Clusters)), float64(p.N)
	var sumSq, cross, sizeSq float64
	for _, c := range p.Clusters {
		m := float64(c.Size)
		sumSq += c.Sum * c.Sum
		cross += c.Sum * m
		sizeSq += m * m
	}
	d := p.Estimate() * g / (g + 2)
	total := sumSq + sizeSq/g - 2*d*cross + d*d*sizeSq*(g+2)/g
	return total * g / (g + 2) / (n * n)
}

func (p Paired) clusterWeighted() float64 {
	g := float64(len(p.Clusters))
	var sum, sumSq float64
	for _, c := range p.Clusters {
		mean := c.Sum / float64(c.Size)
		sum += mean
		sumSq += mean * mean
	}
	d := sum / (g + 2)
	return ((sumSq+1)/(g+2) - d*d) / g
}

// magnitude is the size of a typical flip, Σd²/Σ|d|, with one full flip added: 1 for binary scores.
func magnitude(sumSq, sum float64) float64 { return (sumSq + 1) / (sum + 1) }

// magnitudes are those that bound losses and gains: of all flips, or of that kind if it is the larger.
func (p Paired) magnitudes() (losses, gains float64) {
	all := magnitude(p.SumSq, p.Up+p.Down)
	return math.Max(all, magnitude(p.SumSq-p.UpSq, p.Down)), math.Max(all, magnitude(p.UpSq, p.Up))
}

// score is Tango's interval over share·N items with flips of the size of a magnitude: exact for binary scores,
// and for others with at least the second moment of the data and the same guard against "no flips, no
// variance".
func (p Paired) score(conf, share float64) Interval {
	losses, gains := p.magnitudes()
	return Interval{Low: losses * p.scaled(conf, share, losses).Low, High: gains * p.scaled(conf, share, gains).High}
}

func (p Paired) scaled(conf, share, m float64) Interval {
	return TangoInterval(share*p.Up/m, share*p.Down/m, share*float64(p.N), conf)
}

// share is the part of the items that count as independent: 1 over the design effect, never more items than
// clusters (Rao and Scott 1992, Biometrics 48:577–585).
func (p Paired) share() float64 {
	alone := p
	alone.Clusters = nil
	deff := math.Max(1, p.Variance()/math.Max(alone.Variance(), 1e-300))
	return math.Min(1/deff, float64(len(p.Clusters))/float64(p.N))
}

// Interval is the two-sided confidence interval, by Tango's score; (−1, 1) without items. With clusters it is
// never narrower than with each cluster as one unit.
func (p Paired) Interval(conf float64) Interval {
	switch {
	case p.N == 0:
		return Interval{-1, 1}
	case !p.Clustered():
		return p.score(conf, 1)
	}
	return p.score(conf, p.share()).widen(p.units().score(conf, 1))
}

// units are the cluster means, each as one item.
func (p Paired) units() Paired {
	u := Paired{N: len(p.Clusters)}
	for _, c := range p.Clusters {
		u.add(c.Sum / float64(c.Size))
	}
	return u
}

// widen makes the interval at least as wide as another, on both sides alike but within [−1, 1].
func (i Interval) widen(other Interval) Interval {
	lack := (other.High - other.Low) - (i.High - i.Low)
	if lack <= 0 {
		return i
	}
	low, high := i.Low-lack/2, i.High+lack/2
	if low < -1 {
		low, high = -1, math.Min(1, high-(low+1))
	}
	if high > 1 {
		low, high = math.Max(-1, low-(high-1)), 1
	}
	return Interval{low, high}
}

// NormalInterval is estimate ± z·se, kept within [−1, 1].
func NormalInterval(estimate, se, conf float64) Interval {
	half := NormalQuantile(0.5+conf/2) * se
	return Interval{math.Max(-1, estimate-half), math.Min(1, estimate+half)}
}

// WorseP is the one-sided p-value for "the candidate is worse": exact McNemar for lone binary items, sign
// flips for fewer than 50 clusters, the normal test otherwise. No data give 1.
func (p Paired) WorseP(seed uint64) float64 {
	switch {
	case p.N == 0:
		return 1
	case !p.Clustered() && p.Binary:
		return McNemarWorse(p.Better, p.Worse)
	case p.Clustered() && len(p.Clusters) < SmallClusters:
		return SignFlip(p.negated(), 0, seed)
	}
	return NormalCDF(p.Estimate() / p.SE())
}

func (p Paired) negated() []Cluster {
	out := make([]Cluster, len(p.Clusters))
	for i, c := range p.Clusters {
		out[i] = Cluster{-c.Sum, c.Size}
	}
	return out
}

// Mirror swaps the two sides.
func (p Paired) Mirror() Paired {
	p.Sum, p.Better, p.Worse = -p.Sum, p.Worse, p.Better
	p.Up, p.Down, p.UpSq = p.Down, p.Up, p.SumSq-p.UpSq
	if p.Clustered() {
		p.Clusters = p.negated()
		slices.Reverse(p.Clusters)
	}
	return p
}

// MillerSE is the clustered standard error as published, without the added flip: for reports and comparison.
//
// Source: Miller E. (2024), arXiv:2411.00640, equation 4.
func (p Paired) MillerSE() float64 {
	d, sum := p.Estimate(), 0.0
	for _, c := range p.Clusters {
		centered := c.Sum - d*float64(c.Size)
		sum += centered * centered
	}
	if !p.Clustered() {
		sum = p.SumSq - float64(p.N)*d*d
	}
	return math.Sqrt(math.Max(0, sum)) / math.Max(1, float64(p.N))
}
