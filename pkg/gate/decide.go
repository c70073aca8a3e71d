package gate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Decide judges the candidate. It is pure: equal inputs give equal reports, whatever the order of results.
//
// It fails with errs.Invalid when the policy or the results cannot be judged (wrong scores, repeated items,
// unequal locks); ProblemsOf lists each problem. Too little evidence is not an error: it is INCONCLUSIVE.
func Decide(policy Policy, in Input) (Report, error) {
	if err := policy.Validate(); err != nil {
		return Report{}, err
	}
	j, err := join(in)
	if err != nil {
		return Report{}, err
	}
	d := newDecision(policy, j)
	for _, rule := range d.rules() {
		d.report.Rules = append(d.report.Rules, rule())
	}
	d.conclude()
	if err := d.examples(); err != nil {
		return Report{}, err
	}
	return d.report, nil
}

// decision is the state of one Decide.
type decision struct {
	policy Policy
	j      *joined
	clean  bool    // contaminated items are left out
	parts  []*part // incumbent and candidate
	seed   uint64
	report Report
}

func newDecision(policy Policy, j *joined) *decision {
	d := &decision{policy: policy, j: j, clean: policy.Contamination.Use == "clean_subset"}
	d.parts = j.parts(incumbent, candidate, d.clean)
	d.seed = seedOf(j.in.Digests)
	d.report = Report{
		Schema: ReportSchema, Reasons: []string{}, Policy: policy, Digests: d.digests(),
		Capabilities: []Comparison{}, Benchmarks: []Comparison{}, Targets: []Comparison{},
		Forgotten: []Flip{}, Gained: []Flip{},
	}
	d.report.Pairing = j.pairing()
	d.report.Flips = d.flips()
	d.report.Speed = d.speed()
	d.report.Forgetting = d.forgetting()
	return d
}

// rules lists the policy's rules in the order in which they decide.
func (d *decision) rules() []func() Rule {
	return []func() Rule{d.dataRule, d.pairingRule, d.errorsRule, d.goldenRule, d.safetyRule, d.regressionRule,
		d.pooledRule, d.capabilityRule, d.targetRule, d.anchorRule, d.flipsRule, d.contaminationRule, d.latencyRule}
}

// seedOf derives the seed of permutation tests from what is compared, whichever side is which.
func seedOf(digests Digests) uint64 {
	both := []string{digests.Candidate, digests.Incumbent}
	slices.Sort(both)
	sum := sha256.Sum256([]byte(strings.Join(both, "\n")))
	return binary.BigEndian.Uint64(sum[:])
}

func (d *decision) digests() Digests {
	out := d.j.in.Digests
	out.Policy = d.policy.Digest()
	out.Locks = make(map[string]string, len(d.j.locks))
	for i, seen := range d.j.locks {
		out.Locks[d.j.benchmarks.list[i]] = seen.lock
	}
	return out
}

// conclude takes the worst rule; the first of several decides.
func (d *decision) conclude() {
	r := &d.report
	r.Verdict, r.DecidingRule = Pass, "all"
	for _, rule := range r.Rules {
		if rule.Verdict != Pass {
			r.Reasons = append(r.Reasons, fmt.Sprintf("%s: %s", rule.Name, rule.Reason))
		}
		if rule.Verdict.Worse(r.Verdict) != r.Verdict {
			r.Verdict, r.DecidingRule = rule.Verdict, rule.Name
		}
	}
	r.Summary = d.summary()
	if r.Verdict == Pass {
		r.Reasons = append(r.Reasons, r.Summary)
	}
}

func (d *decision) summary() string {
	r := &d.report
	p := r.Pooled
	change := fmt.Sprintf("%s over %d items (95%% interval %s to %s)", signed(p.Delta), p.N, signed(p.CI95.Low), signed(p.CI95.High))
	switch r.Verdict {
	case Pass:
		return "Every rule holds: " + change + "; a loss of " + points(p.Margin) + " is excluded."
	case Fail:
		return "The candidate is worse than allowed: " + d.reasonOf(r.DecidingRule) + "."
	}
	return "Not shown either way: " + d.reasonOf(r.DecidingRule) + "."
}

func (d *decision) reasonOf(name string) string {
	for _, rule := range d.report.Rules {
		if rule.Name == name {
			return rule.Reason
		}
	}
	return ""
}

// points writes a fraction as percentage points, signed with its sign.
func points(x float64) string  { return fmt.Sprintf("%.1f points", 100*x) }
func signed(x float64) string  { return fmt.Sprintf("%+.1f points", 100*x) }
func percent(x float64) string { return fmt.Sprintf("%.1f%%", 100*x) }

// pValue is a p-value in words: a rounded 0 would claim what no test can.
func pValue(p float64) string {
	if p < 0.0001 {
		return "p < 0.0001"
	}
	return fmt.Sprintf("p = %.2g", p)
}
