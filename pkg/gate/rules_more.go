package gate

import (
	"fmt"
	"math"
	"slices"

	"github.com/perennial-llm/perennial/pkg/stats"
)

// targetRule asks that what the training was for has gained, corrected by Holm over the targets.
func (d *decision) targetRule() Rule {
	policy := d.policy.Target
	if len(policy.Benchmarks) == 0 {
		return unapplied("target", "the policy names no target")
	}
	list := make([]Comparison, len(policy.Benchmarks))
	p := make([]float64, len(list))
	for i, name := range policy.Benchmarks {
		s := d.sample(name, d.ofBenchmark(name))
		list[i], p[i] = s.comparison(), s.betterP()
	}
	for i, adjusted := range stats.Holm(p) {
		c := &list[i]
		c.P, c.AdjustedP, c.Margin = round(p[i]), round(adjusted), policy.MinEffectPP/100
		c.Verdict, c.Reason = Pass, "the gain is shown"
		if adjusted > d.policy.Alpha || c.Delta < c.Margin {
			c.Verdict, c.Reason = policy.OnMiss, fmt.Sprintf("no gain of %s shown on %s: %s over %d items (%s)",
				points(c.Margin), c.Name, signed(c.Delta), c.N, pValue(adjusted))
		}
	}
	d.report.Targets = list
	return worst("target", list, "every target gained")
}

func (d *decision) ofBenchmark(name string) []*part {
	var out []*part
	for _, p := range d.parts {
		if d.j.benchmarks.list[p.bench] == name {
			out = append(out, p)
		}
	}
	return out
}

// anchorRule compares with the pinned version, so that small concessions do not add up.
func (d *decision) anchorRule() Rule {
	if d.j.in.Anchor == nil {
		return unapplied("anchor", "no anchor version was given")
	}
	c := judge(d.sample("the pinned version's skill", d.j.parts(anchor, candidate, d.clean)), d.policy.Anchor.MarginPP/100)
	if c.N == 0 {
		c.Reason = "the anchor and the candidate have no scored item in common"
	}
	c.Name = "anchor"
	d.report.Anchor = &c
	return Rule{Name: "anchor", Verdict: c.Verdict, Applied: true, Reason: c.Reason}
}

// goldenRule is about items marked mustPass, contaminated or not.
func (d *decision) goldenRule() Rule {
	g := d.golden()
	d.report.Golden = g
	switch {
	case g.Items == 0:
		return unapplied("golden", "no item is marked as one that must pass")
	case g.NegativeFlips > d.policy.Golden.MaxNegativeFlips:
		return hit("golden", Fail, "%d of %d must-pass items passed before and fail now", g.NegativeFlips, g.Items)
	case d.policy.Golden.MustPass && g.Passed+g.Unscored < g.Items:
		return hit("golden", Fail, "%d of %d must-pass items fail", g.Items-g.Passed-g.Unscored, g.Items)
	case g.Unscored > 0:
		return hit("golden", Inconclusive, "%d of %d must-pass items have no score", g.Unscored, g.Items)
	}
	return passed("golden", "all %d must-pass items are accounted for", g.Items)
}

// passScore is the score from which an item counts as passed.
const passScore = 0.5

func (d *decision) golden() Golden {
	g := Golden{Failed: []Flip{}}
	for i := range d.j.rows {
		r := &d.j.rows[i]
		if !r.golden || !inRun(r) {
			continue
		}
		g.Items++
		switch {
		case r.state[candidate] != scored:
			g.Unscored++
		case r.score[candidate] >= passScore:
			g.Passed++
		case r.state[incumbent] == scored && r.score[incumbent] >= passScore:
			g.NegativeFlips++
		}
	}
	return g
}

func (d *decision) flips() Flips {
	f := Flips{AAFloor: d.j.in.Extras.AAFloor}
	n := 0
	for _, p := range d.parts {
		n += len(p.d)
		f.Negative += p.forgotten
		f.Positive += p.gained
	}
	f.NegativeRate = round(shareOf(f.Negative, n))
	f.PositiveRate = round(shareOf(f.Positive, n))
	return f
}

// flipsRule hits when the negative-flip rate is shown, at 99%, to exceed the bound beyond the noise floor.
func (d *decision) flipsRule() Rule {
	f, bound := d.report.Flips, d.policy.Flips.NFRMinusAAFloorOver
	n := 0
	for _, p := range d.parts {
		n += len(p.d)
	}
	low := stats.Wilson(f.Negative, n, 0.98).Low
	if n > 0 && low-f.AAFloor > bound {
		return hit("flips", d.policy.Flips.OnHit, "%s of items were forgotten, more than %s beyond the %s that a rerun shows",
			percent(f.NegativeRate), percent(bound), percent(f.AAFloor))
	}
	return passed("flips", "%d items forgotten, %d gained", f.Negative, f.Positive)
}

func (d *decision) contamination() Contamination {
	c := Contamination{}
	total := 0
	for i := range d.j.rows {
		if !inRun(&d.j.rows[i]) {
			continue
		}
		total++
		if d.j.rows[i].contaminated {
			c.Items++
		}
	}
	c.Share = round(shareOf(c.Items, total))
	c.Excluded = d.clean && c.Items > 0
	if c.Excluded {
		all := judge(d.sample("all items", d.j.parts(incumbent, candidate, false)), d.policy.Pooled.MarginPP/100)
		c.AllPooled = &all
	}
	return c
}

func (d *decision) contaminationRule() Rule {
	c := d.report.Contamination
	switch {
	case d.j.in.Contaminated == nil:
		return unapplied("contamination", "overlap with training data was not checked")
	case c.Share > d.policy.Contamination.ReviewIfOver:
		return hit("contamination", Inconclusive, "%d benchmark items (%s) occur in the training data", c.Items, percent(c.Share))
	case c.Items > 0:
		return passed("contamination", "%d benchmark items occur in the training data and are left out", c.Items)
	}
	return passed("contamination", "no benchmark item occurs in the training data")
}

func (d *decision) latencyRule() Rule {
	e, p := d.j.in.Extras, d.policy.Latency
	limits := []struct {
		name       string
		ratio, max float64
	}{
		{"time to first token", e.TTFTP95Ratio, p.TTFTP95RatioMax},
		{"time per token", e.TPOTP95Ratio, p.TPOTP95RatioMax},
		{"cost", e.CostRatio, p.CostRatioMax},
	}
	measured := false
	for _, l := range limits {
		measured = measured || l.ratio > 0
		if l.max > 0 && l.ratio > l.max {
			return hit("latency", p.OnHit, "%s is %.2f times the incumbent's; %.2f is allowed", l.name, l.ratio, l.max)
		}
	}
	if !measured {
		return unapplied("latency", "latency and cost were not measured under load")
	}
	return passed("latency", "latency and cost are within bounds")
}

func (d *decision) speed() Speed {
	e := d.j.in.Extras
	old, now := &d.j.speed[incumbent], &d.j.speed[candidate]
	return Speed{
		LatencyP95OldMs: p95(old.latency), LatencyP95NewMs: p95(now.latency),
		TokensOld: round(shareOf(old.tokens, old.counted)), TokensNew: round(shareOf(now.tokens, now.counted)),
		TTFTP95Ratio: e.TTFTP95Ratio, TPOTP95Ratio: e.TPOTP95Ratio, CostRatio: e.CostRatio,
	}
}

// p95 is the nearest-rank 95th percentile, 0 without data.
func p95(x []float32) float64 {
	if len(x) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(x))
	return round(float64(sorted[int(math.Ceil(0.95*float64(len(sorted))))-1]))
}

// forgetting compares the candidate's means with those of promoted versions.
func (d *decision) forgetting() *Forgetting {
	history := d.j.in.Extras.History
	if len(history) == 0 {
		return nil
	}
	f := &Forgetting{Benchmarks: map[string]float64{}, Versions: len(history)}
	var change float64
	for _, s := range d.perBenchmark() {
		first, best, known := past(history, s.name)
		if known {
			f.Benchmarks[s.name] = round(best - s.newMean)
			change += s.newMean - first
		}
	}
	if len(f.Benchmarks) > 0 {
		f.BWT = round(change / float64(len(f.Benchmarks)))
	}
	return f
}

func past(history []Milestone, name string) (first, best float64, known bool) {
	for _, m := range history {
		mean, ok := m.Means[name]
		if !ok {
			continue
		}
		if !known {
			first, best, known = mean, mean, true
		}
		best = max(best, mean)
	}
	return first, best, known
}
