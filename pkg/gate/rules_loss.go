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
// (significantly below 0) and estimated beyond the margin; INCONCLUSIVE otherwise.
func judge(s sample, margin float64) Comparison {
	c := s.comparison()
	c.Margin = margin
	switch {
	case s.n() == 0:
		c.Verdict, c.Reason = Inconclusive, "no items"
	case c.Upper < 0 && c.Delta < -margin:
		c.Verdict, c.Reason = Fail, fmt.Sprintf("%s lost %s, beyond the %s allowed", s.name, points(-c.Delta), points(margin))
	case s.nonInferior(margin):
		c.Reason = fmt.Sprintf("a loss of %s is excluded", points(margin))
	default:
		c.Verdict, c.Reason = Inconclusive, fmt.Sprintf("%s could have lost up to %s, and %s are allowed (%s over %d items)",
			s.name, points(-c.Lower), points(margin), signed(c.Delta), c.N)
	}
	return c
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
	order, parts := d.capabilities()
	var list []Comparison
	for _, name := range order {
		if !slices.Contains(d.policy.Safety.Capabilities, name) {
			list = append(list, d.judgeCapability(name, parts[name]))
		}
	}
	d.report.Capabilities = append(d.report.Capabilities, list...)
	slices.SortFunc(d.report.Capabilities, func(a, b Comparison) int { return strings.Compare(a.Name, b.Name) })
	if len(list) == 0 {
		return unapplied("capability", "no capability to judge besides safety")
	}
	return worst("capability", list, "no capability lost more than is allowed")
}

func (d *decision) judgeCapability(name string, parts []*part) Comparison {
	policy := d.policy.Capability
	margin, own := policy.MarginsPP[name]
	if !own {
		margin = policy.MarginPP
	}
	c := judge(d.capabilitySample(name, parts), margin/100)
	switch {
	case c.Verdict == Fail:
	case c.N < policy.MinItems:
		c.Verdict, c.Reason = Inconclusive, fmt.Sprintf("%s has %d items, fewer than the %d that a verdict needs", name, c.N, policy.MinItems)
	case policy.FailIfEstimateBelowMargin && c.Delta < -margin/100:
		c.Verdict, c.Reason = Fail, fmt.Sprintf("%s is estimated %s lower, beyond the %s allowed", name, points(-c.Delta), points(margin/100))
	}
	return c
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
	if c.Verdict != Fail && c.N < d.policy.Capability.MinItems {
		c.Verdict, c.Reason = Inconclusive, fmt.Sprintf("%s has %d items, fewer than the %d that a verdict needs", name, c.N, d.policy.Capability.MinItems)
	}
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
	list := d.perBenchmark()
	p := make([]float64, len(list))
	for i := range list {
		p[i] = list[i].P
	}
	for i, adjusted := range stats.Holm(p) {
		c := &list[i]
		c.P, c.AdjustedP, c.Reason = round(c.P), round(adjusted), "no regression shown"
		d.judgeBenchmark(c, adjusted)
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
		c.Reason = fmt.Sprintf("%s got worse by %s (%d forgotten, %d gained; p = %.2g after Holm)",
			c.Name, points(-c.Delta), c.Forgotten, c.Gained, adjusted)
	case c.P <= policy.ReviewP && c.Delta < -d.policy.Capability.MarginPP/100:
		c.Verdict = Inconclusive
		c.Reason = fmt.Sprintf("%s may have got worse by %s (%d forgotten, %d gained; p = %.2g before Holm)",
			c.Name, points(-c.Delta), c.Forgotten, c.Gained, c.P)
	}
}

func (d *decision) perBenchmark() []Comparison {
	var out []Comparison
	for i := 0; i < len(d.parts); {
		n := i + 1
		for n < len(d.parts) && d.parts[n].bench == d.parts[i].bench {
			n++
		}
		s := d.sample(d.j.benchmarks.list[d.parts[i].bench], d.parts[i:n])
		c := s.comparison()
		c.P = s.worseP()
		out = append(out, c)
		i = n
	}
	return out
}
