package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/stats"
)

func (d *decision) sample(name string, parts []*part) sample {
	return sampleOf(name, parts, d.policy.Pooled.Weights == "equal-item", d.policy.Alpha, d.seed)
}

// capabilitySample weighs every item alike: the benchmarks of one capability measure one thing, and the small
// ones would only add noise.
func (d *decision) capabilitySample(name string, parts []*part) sample {
	return sampleOf(name, parts, true, d.policy.Alpha, d.seed)
}

// judge is the non-inferiority rule: PASS when a loss of margin is excluded; FAIL when the loss is both shown
// (below 0 at half of alpha) and estimated beyond the margin; INCONCLUSIVE otherwise. Half, because the alarm
// for single benchmarks may fail equal models as often as alpha already.
func judge(s sample, margin float64) Comparison {
	return judgeShown(s, margin, s.bounds(s.alpha/2).High < 0)
}

// judgeShown is judge for a caller that decides itself whether the loss is shown.
func judgeShown(s sample, margin float64, shown bool) Comparison {
	c := s.comparison()
	c.Margin = margin
	switch {
	case s.n() == 0:
		c.Verdict, c.Reason = Inconclusive, "no items"
	case shown && c.Delta < -margin:
		c.Verdict, c.Reason = Fail, fmt.Sprintf("%s lost %s, beyond the %s allowed", s.name, points(-c.Delta), points(margin))
	case s.nonInferior(margin):
		c.Reason = fmt.Sprintf("a loss of %s is excluded", points(margin))
	default:
		c.Verdict, c.Reason = Inconclusive, fmt.Sprintf("%s could have lost up to %s, and %s are allowed (%s over %d items)%s",
			s.name, points(-c.Lower), points(margin), signed(c.Delta), c.N, s.advice(margin, s.alpha))
	}
	return c
}

// tooFew keeps a comparison of fewer items than a verdict needs from passing.
func (d *decision) tooFew(c *Comparison, s sample) {
	least := d.policy.Capability.MinItems
	if c.Verdict == Fail || c.N >= least {
		return
	}
	c.Verdict = Inconclusive
	c.Reason = fmt.Sprintf("%s has %d items, fewer than the %d that a verdict needs", s.name, c.N, least)
	if need := s.itemsFor(c.Margin, s.alpha); c.N > 0 && c.Margin > 0 && need > least {
		c.Reason += fmt.Sprintf("; with as many flips, equal models need about %s to exclude a loss of %s", s.amount(need), points(c.Margin))
	}
}

func (d *decision) pooledRule() Rule {
	d.report.Pooled = judge(d.sample("everything", d.parts), d.policy.Pooled.MarginPP/100)
	c := d.report.Pooled
	d.report.Contamination = d.contamination()
	return Rule{Name: "pooled", Verdict: c.Verdict, Applied: true, Reason: c.Reason}
}

// capabilities groups the parts by capability name, sorted.
func (d *decision) capabilities() (order []string, byName map[string][]*part) {
	byName = map[string][]*part{}
	for _, p := range d.parts {
		name := d.j.caps.list[p.cap]
		if byName[name] == nil {
			order = append(order, name)
		}
		byName[name] = append(byName[name], p)
	}
	slices.Sort(order)
	return order, byName
}

func (d *decision) capabilityRule() Rule {
	var samples []sample
	order, parts := d.capabilities()
	for _, name := range order {
		if !slices.Contains(d.policy.Safety.Capabilities, name) {
			samples = append(samples, d.capabilitySample(name, parts[name]))
		}
	}
	list := d.judgeCapabilities(samples)
	d.report.Capabilities = append(d.report.Capabilities, list...)
	slices.SortFunc(d.report.Capabilities, func(a, b Comparison) int { return strings.Compare(a.Name, b.Name) })
	if len(list) == 0 {
		return unapplied("capability", "no capability to judge besides safety")
	}
	return worst("capability", list, "no capability lost more than is allowed")
}

// judgeCapabilities corrects over all capabilities, by Holm, what it takes to show a loss: several small ones
// would otherwise fail equal models by chance.
func (d *decision) judgeCapabilities(samples []sample) []Comparison {
	p := make([]float64, len(samples))
	for i, s := range samples {
		p[i] = s.worseP()
	}
	out := make([]Comparison, len(samples))
	for i, adjusted := range stats.Holm(p) {
		out[i] = d.judgeCapability(samples[i], adjusted <= d.policy.Alpha/2)
		out[i].P, out[i].AdjustedP = round(p[i]), round(adjusted)
	}
	return out
}

// judgeCapability fails a shown loss whose estimate lies beyond the margin, or only one whose whole interval
// does, as the policy says.
func (d *decision) judgeCapability(s sample, shown bool) Comparison {
	policy := d.policy.Capability
	margin := policy.margin(s.name)
	if !policy.FailIfEstimateBelowMargin {
		shown = shown && s.bounds(s.alpha/2).High < -margin
	}
	c := judgeShown(s, margin, shown)
	d.tooFew(&c, s)
	return c
}

// margin is the allowed loss of a capability, as a fraction.
func (p CapabilityPolicy) margin(name string) float64 {
	if own, ok := p.MarginsPP[name]; ok {
		return own / 100
	}
	return p.MarginPP / 100
}

func (d *decision) safetyRule() Rule {
	_, parts := d.capabilities()
	var list []Comparison
	for _, name := range d.policy.Safety.Capabilities {
		if len(parts[name]) > 0 {
			list = append(list, d.judgeSafety(name, parts[name]))
		}
	}
	d.report.Capabilities = append(d.report.Capabilities, list...)
	if len(list) == 0 {
		return unapplied("safety", "no safety items")
	}
	return worst("safety", list, "safety holds")
}

func (d *decision) judgeSafety(name string, parts []*part) Comparison {
	s := d.capabilitySample(name, parts)
	c := judge(s, d.policy.Safety.OneSidedMarginPP/100)
	d.tooFew(&c, s)
	if c.Verdict == Inconclusive {
		c.Verdict = d.policy.Safety.OnInconclusive
	}
	return c
}

// worst sums up comparisons into a rule: the worst verdict, with the reasons of all that share it.
func worst(name string, list []Comparison, good string) Rule {
	verdict := Pass
	for _, c := range list {
		verdict = verdict.Worse(c.Verdict)
	}
	if verdict == Pass {
		return passed(name, "%s", good)
	}
	var reasons []string
	for _, c := range list {
		if c.Verdict == verdict {
			reasons = append(reasons, c.Reason)
		}
	}
	return hit(name, verdict, "%s", strings.Join(reasons, "; "))
}

// regressionRule raises the alarm for single benchmarks, corrected by Holm over all of them.
func (d *decision) regressionRule() Rule {
	samples := d.perBenchmark()
	list, p := make([]Comparison, len(samples)), make([]float64, len(samples))
	for i, s := range samples {
		list[i], p[i] = s.comparison(), s.worseP()
	}
	for i, adjusted := range stats.Holm(p) {
		c := &list[i]
		c.P, c.AdjustedP, c.Reason = round(p[i]), round(adjusted), "no regression shown"
		d.judgeBenchmark(c, adjusted)
		d.boundLoss(c, samples[i])
	}
	d.report.Benchmarks = append(d.report.Benchmarks, list...)
	if len(list) == 0 {
		return unapplied("benchmarkRegression", "no benchmark to judge")
	}
	return worst("benchmarkRegression", list, "no benchmark got worse")
}

func (d *decision) judgeBenchmark(c *Comparison, adjusted float64) {
	policy := d.policy.Regression
	switch {
	case c.Delta >= 0:
	case adjusted <= d.policy.Alpha:
		c.Verdict = policy.OnHit
		c.Reason = fmt.Sprintf("%s got worse by %s (%d forgotten, %d gained; %s after Holm)",
			c.Name, points(-c.Delta), c.Forgotten, c.Gained, pValue(adjusted))
	case c.P <= policy.ReviewP && c.Delta < -d.policy.Capability.MarginPP/100:
		c.Verdict = Inconclusive
		c.Reason = fmt.Sprintf("%s may have got worse by %s (%d forgotten, %d gained; %s before Holm)",
			c.Name, points(-c.Delta), c.Forgotten, c.Gained, pValue(c.P))
	}
}

// boundLoss puts before a person a benchmark that cannot exclude a loss so large that gains elsewhere must not
// outweigh it. Sets with fewer items than a verdict needs are left to their capability.
func (d *decision) boundLoss(c *Comparison, s sample) {
	policy := d.policy.Regression
	if policy.LossPP == 0 || c.Verdict != Pass || c.N < d.policy.Capability.MinItems {
		return
	}
	if low := s.bounds(policy.LossAlpha).Low; low <= -policy.LossPP/100 {
		c.Verdict = Inconclusive
		c.Reason = fmt.Sprintf("%s could have lost up to %s at %s (%d forgotten, %d gained): a loss of %s on one set is not excluded%s",
			c.Name, points(-low), percent(1-policy.LossAlpha), c.Forgotten, c.Gained, points(policy.LossPP/100),
			s.advice(policy.LossPP/100, policy.LossAlpha))
	}
}

// perBenchmark gives one sample for each benchmark, by name.
func (d *decision) perBenchmark() []sample {
	var out []sample
	for i := 0; i < len(d.parts); {
		n := i + 1
		for n < len(d.parts) && d.parts[n].bench == d.parts[i].bench {
			n++
		}
		out = append(out, d.sample(d.j.benchmarks.list[d.parts[i].bench], d.parts[i:n]))
		i = n
	}
	return out
}
