package gate

import (
	"cmp"
	"math"
	"slices"

	"github.com/perennial-llm/perennial/pkg/stats"
)

// part is the paired items of one benchmark within one capability.
type part struct {
	bench, cap        int32
	d                 []float64
	cluster           []int32
	oldSum, newSum    float64
	gained, forgotten int
	merged            map[int]stats.Paired // of this part and the next of its benchmark, by how many
}

// parts groups the rows that have a score on both sides, sorted by names. Contaminated rows are left out when
// clean is set.
func (j *joined) parts(a, b side, clean bool) []*part {
	type key struct{ bench, cap int32 }
	byKey := map[key]*part{}
	for i := range j.rows {
		r := &j.rows[i]
		if !r.paired(a, b) || (clean && r.contaminated) {
			continue
		}
		k := key{r.bench, r.cap}
		if byKey[k] == nil {
			byKey[k] = &part{bench: r.bench, cap: r.cap}
		}
		byKey[k].add(r, a, b)
	}
	out := make([]*part, 0, len(byKey))
	for _, p := range byKey {
		out = append(out, p)
	}
	slices.SortFunc(out, func(x, y *part) int {
		return cmp.Or(cmp.Compare(j.benchmarks.list[x.bench], j.benchmarks.list[y.bench]),
			cmp.Compare(j.caps.list[x.cap], j.caps.list[y.cap]))
	})
	return out
}

func (p *part) add(r *row, a, b side) {
	d := r.diff(a, b)
	p.d = append(p.d, d)
	p.cluster = append(p.cluster, r.cluster)
	p.oldSum += r.score[a]
	p.newSum += r.score[b]
	if d >= 0.5 {
		p.gained++
	}
	if d <= -0.5 {
		p.forgotten++
	}
}

// sample is a set of parts under test: one stratum per benchmark.
type sample struct {
	name              string
	strata            []stats.Stratum
	pooled            stats.Pooled
	oldMean, newMean  float64 // weighted as the difference is
	gained, forgotten int
	clusters          int
	alpha             float64
	seed              uint64
}

// sampleOf merges parts by benchmark. Each benchmark weighs alike, or by its items when byItem is set.
func sampleOf(name string, parts []*part, byItem bool, alpha float64, seed uint64) sample {
	s := sample{name: name, alpha: alpha, seed: seed}
	var weights float64
	for i := 0; i < len(parts); {
		n := i + 1
		for n < len(parts) && parts[n].bench == parts[i].bench {
			n++
		}
		weights += s.addBenchmark(parts[i:n], byItem)
		i = n
	}
	if weights > 0 {
		s.oldMean /= weights
		s.newMean /= weights
	}
	s.pooled = stats.Pool(s.strata)
	return s
}

func (s *sample) addBenchmark(parts []*part, byItem bool) (weight float64) {
	var oldSum, newSum float64
	for _, p := range parts {
		oldSum, newSum = oldSum+p.oldSum, newSum+p.newSum
		s.gained, s.forgotten = s.gained+p.gained, s.forgotten+p.forgotten
	}
	paired := merge(parts)
	n := float64(paired.N)
	weight = 1
	if byItem {
		weight = n
	}
	s.clusters += len(paired.Clusters)
	s.strata = append(s.strata, stats.Stratum{Weight: weight, Paired: paired})
	s.oldMean += weight * oldSum / n
	s.newMean += weight * newSum / n
	return weight
}

// merge sums up parts of one benchmark: a single one, or all of them. Both are asked for more than once.
func merge(parts []*part) stats.Paired {
	first := parts[0]
	if paired, ok := first.merged[len(parts)]; ok {
		return paired
	}
	d, cluster := first.d, first.cluster
	if len(parts) > 1 {
		d, cluster = nil, nil
		for _, p := range parts {
			d, cluster = append(d, p.d...), append(cluster, p.cluster...)
		}
	}
	if first.merged == nil {
		first.merged = map[int]stats.Paired{}
	}
	first.merged[len(parts)] = stats.NewPaired(d, cluster)
	return first.merged[len(parts)]
}

// one gives the only stratum's data, when there is just one.
func (s sample) one() (stats.Paired, bool) {
	if len(s.strata) == 1 {
		return s.strata[0].Paired, true
	}
	return stats.Paired{}, false
}

func (s sample) n() int { return s.pooled.N }

func (s sample) interval(conf float64) stats.Interval {
	if p, ok := s.one(); ok {
		return p.Interval(conf)
	}
	if s.n() == 0 {
		return stats.Interval{Low: -1, High: 1}
	}
	return s.pooled.Interval(conf)
}

// bounds are the one-sided bounds at level alpha, on which decisions stand.
func (s sample) bounds(alpha float64) stats.Interval {
	if p, ok := s.one(); ok {
		return p.Bounds(alpha)
	}
	return s.interval(1 - 2*alpha)
}

// nonInferior tells whether a loss of margin or more is excluded.
func (s sample) nonInferior(margin float64) bool {
	if p, ok := s.one(); ok {
		return p.NonInferior(margin, s.alpha, s.seed)
	}
	return s.n() > 0 && s.bounds(s.alpha).Low > -margin
}

// worseP is the one-sided p-value for "worse", betterP for "better".
func (s sample) worseP() float64 {
	if p, ok := s.one(); ok {
		return p.WorseP(s.seed)
	}
	if s.n() == 0 {
		return 1
	}
	return stats.NormalCDF(s.pooled.Z(0))
}

func (s sample) betterP() float64 {
	if p, ok := s.one(); ok {
		return p.Mirror().WorseP(s.seed)
	}
	if s.n() == 0 {
		return 1
	}
	return stats.NormalCDF(-s.pooled.Z(0))
}

func (s sample) mde() float64 {
	if p, ok := s.one(); ok && !p.Clustered() {
		return stats.MDE(p.N, p.FlipRate(), s.alpha)
	}
	return min(1, stats.DetectableSE(s.pooled.SE, s.alpha))
}

// itemsFor is about how many items at this rate of flips, in the same mix, find a difference of gap at level alpha in
// four of five cases.
func (s sample) itemsFor(gap, alpha float64) int {
	if p, ok := s.one(); ok && !p.Clustered() {
		return stats.ItemsToExclude(p.FlipRate(), gap, alpha)
	}
	ratio := stats.DetectableSE(s.pooled.SE, alpha) / gap
	return int(math.Ceil(float64(s.n()) * ratio * ratio))
}

func (s sample) test() string {
	p, one := s.one()
	switch {
	case s.n() == 0:
		return "none"
	case !one:
		return "stratified paired"
	case p.Clustered() && len(p.Clusters) < stats.SmallClusters:
		return "Tango score on clusters, and cluster sign flips"
	case p.Clustered() && p.Binary:
		return "Tango score on clusters"
	case p.Clustered():
		return "Tango score on clusters, scaled"
	case p.Binary:
		return "Tango score"
	}
	return "Tango score, scaled"
}

// comparison describes the sample; verdict and margin are the caller's.
func (s sample) comparison() Comparison {
	oneSided := s.bounds(s.alpha)
	ci := s.interval(0.95)
	c := Comparison{
		Name: s.name, OldMean: round(s.oldMean), NewMean: round(s.newMean), Delta: round(s.pooled.Estimate),
		CI95:  stats.Interval{Low: round(ci.Low), High: round(ci.High)},
		Lower: round(oneSided.Low), Upper: round(oneSided.High),
		N: s.n(), Clusters: s.clusters, Gained: s.gained, Forgotten: s.forgotten,
		MDE: round(s.mde()), Test: s.test(), Verdict: Pass,
	}
	if s.n() > 0 {
		c.FlipRate = round(float64(s.gained+s.forgotten) / float64(s.n()))
	}
	return c
}
