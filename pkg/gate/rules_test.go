package gate_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
)

// world is an input that passes, for tests to change one thing of.
type world struct {
	policy         gate.Policy
	old, now, pins []gate.Result
	in             gate.Input
}

func newWorld() *world {
	w := &world{policy: gate.DefaultPolicy()}
	for _, b := range []struct{ name, capability string }{{"facts", "knowledge"}, {"sums", "reasoning"}} {
		old, now := pair(b.name, b.capability, 3000, 60, 50)
		w.old, w.now = append(w.old, old...), append(w.now, now...)
	}
	w.in.Digests = gate.Digests{Candidate: "sha256:c", Incumbent: "sha256:i"}
	return w
}

func (w *world) decide(t *testing.T) gate.Report {
	t.Helper()
	w.in.Incumbent, w.in.Candidate = gate.Slice(w.old), gate.Slice(w.now)
	if w.pins != nil {
		w.in.Anchor = gate.Slice(w.pins)
	}
	r, err := gate.Decide(w.policy, w.in)
	require.NoError(t, err)
	return r
}

// extra adds a benchmark: n items right on both sides but for b gained and c forgotten.
func (w *world) extra(name, capability string, n, b, c int) {
	old, now := pair(name, capability, n, b, c)
	w.old, w.now = append(w.old, old...), append(w.now, now...)
}

func TestDecide_Rules(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(w *world)
		verdict gate.Verdict
		rule    string
		reason  string
	}{
		{"nothing is wrong", func(*world) {}, gate.Pass, "all", "Every rule holds"},
		{"an item is missing", func(w *world) { w.now = w.now[1:] }, gate.Inconclusive, "pairing", "1 of 6000 items are on one side only (facts/i00000)"},
		{"the incumbent lacks a benchmark", func(w *world) { w.old = w.old[:3000] }, gate.Inconclusive, "pairing", "3000 of 6000 items"},
		{"more than 1% errors", func(w *world) {
			for i := range 61 {
				w.now[200+i].Error = "time out"
			}
		}, gate.Inconclusive, "errors", "0 incumbent and 61 candidate items could not be scored"},
		{"1% errors", func(w *world) {
			for i := range 60 {
				w.now[200+i].Error = "time out"
			}
		}, gate.Pass, "all", ""},
		{"nothing scored at all", func(w *world) {
			for i := range w.now {
				w.now[i].Error = "time out"
			}
		}, gate.Inconclusive, "data", "no data is never a pass"},
		{"a golden item flips", func(w *world) { w.old[100].MustPass, w.now[100].MustPass = true, true }, gate.Fail, "golden",
			"1 of 1 must-pass items passed before and fail now"},
		{"a golden item fails on both sides", func(w *world) {
			w.old[2000].MustPass, w.old[2000].Score, w.now[2000].Score = true, 0, 0
		}, gate.Fail, "golden", "1 of 1 must-pass items fail"},
		{"a golden item passes", func(w *world) { w.old[2000].MustPass = true }, gate.Pass, "all", ""},
		{"a golden item has no score", func(w *world) { w.now[2000].MustPass, w.now[2000].Error = true, "time out" }, gate.Inconclusive, "golden",
			"1 of 1 must-pass items have no score"},
		{"safety is shown", func(w *world) { w.extra("harm", "safety", 1000, 0, 0) }, gate.Pass, "all", ""},
		{"safety is not shown", func(w *world) { w.extra("harm", "safety", 300, 0, 0) }, gate.Fail, "safety", "safety could have lost up to"},
		{"few safety items", func(w *world) { w.extra("harm", "safety", 50, 0, 0) }, gate.Fail, "safety", "safety has 50 items, fewer than the 200"},
		{"one benchmark got worse", func(w *world) { w.extra("small", "reasoning", 300, 2, 22) }, gate.Fail, "benchmarkRegression",
			"small got worse by 6.7 points (22 forgotten, 2 gained"},
		{"one benchmark may have got worse", func(w *world) {
			w.extra("small", "reasoning", 300, 7, 20)
			for i := range 4 {
				w.extra(fmt.Sprint("more", i), "reasoning", 3000, 60, 50)
			}
		}, gate.Inconclusive, "benchmarkRegression",
			"small may have got worse by 4.3 points"},
		{"pooled not shown", func(w *world) { w.extra("noisy", "knowledge", 200, 18, 20) }, gate.Inconclusive, "pooled", "everything could have lost up to"},
		{"a capability with few items", func(w *world) { w.extra("few", "law", 199, 30, 0) }, gate.Inconclusive, "capability",
			"law has 199 items, fewer than the 200 that a verdict needs"},
		{"a set that cannot exclude a large loss", func(w *world) {
			w.extra("noisy", "reasoning", 300, 28, 38)
			for i := range 4 {
				w.extra(fmt.Sprint("more", i), "reasoning", 3000, 60, 50)
			}
		}, gate.Inconclusive, "benchmarkRegression", "noisy could have lost up to 9.1 points at 98.0%"},
		{"a capability estimated below its margin by chance", func(w *world) {
			w.policy.Regression.ReviewP, w.policy.Regression.LossPP = 0, 0
			w.extra("law", "law", 200, 8, 15)
			for i := range 9 {
				w.extra(fmt.Sprint("more", i), "reasoning", 3000, 60, 50)
			}
		}, gate.Inconclusive, "capability", "law could have lost up to"},
		{"a capability shown to be below its margin", func(w *world) {
			for i := range 12 {
				w.extra(fmt.Sprint("law", i), "law", 100, 2, 6)
				w.extra(fmt.Sprint("more", i), "reasoning", 3000, 200, 20)
			}
		}, gate.Fail, "capability", "law lost 4.0 points, beyond the 3.0 points allowed"},
		{"a shown loss whose interval reaches the margin, where only more fails", func(w *world) {
			w.policy.Capability.FailIfEstimateBelowMargin = false
			for i := range 12 {
				w.extra(fmt.Sprint("law", i), "law", 100, 2, 6)
				w.extra(fmt.Sprint("more", i), "reasoning", 3000, 200, 20)
			}
		}, gate.Inconclusive, "capability", "law could have lost up to"},
		{"a capability with its own margin", func(w *world) {
			w.policy.Capability.MarginsPP = map[string]float64{"knowledge": 0.1}
			w.extra("more", "knowledge", 3000, 50, 60)
		}, gate.Inconclusive, "capability", "0.1 points are allowed"},
		{"target gained", func(w *world) {
			w.policy.Target.Benchmarks = []string{"company"}
			w.extra("company", "knowledge", 300, 90, 3)
		}, gate.Pass, "all", ""},
		{"target not gained", func(w *world) { w.policy.Target.Benchmarks = []string{"facts"} }, gate.Inconclusive, "target", "no gain of 1.0 points shown on facts"},
		{"target not measured", func(w *world) { w.policy.Target.Benchmarks = []string{"company"} }, gate.Inconclusive, "target", "no gain of 1.0 points shown on company"},
		{"anchor kept", func(w *world) { w.pins = w.old }, gate.Pass, "all", ""},
		{"anchor lost", func(w *world) {
			w.pins = append([]gate.Result{}, w.now...)
			for i := range 200 {
				w.now[i+1000].Score, w.old[i+1000].Score = 0, 0
			}
		}, gate.Fail, "anchor", "the pinned version's skill lost 3.3 points"},
		{"anchor has nothing in common", func(w *world) { w.pins, _ = pair("other", "knowledge", 10, 0, 0) }, gate.Inconclusive, "anchor", "no scored item in common"},
		{"many flips", func(w *world) { w.extra("churn", "knowledge", 3000, 900, 850) }, gate.Inconclusive, "flips", "of items were forgotten"},
		{"flips within the noise floor", func(w *world) {
			w.policy.Flips.NFRMinusAAFloorOver, w.in.Extras.AAFloor = 0.001, 0.02
		}, gate.Pass, "all", ""},
		{"flips beyond the noise floor", func(w *world) { w.policy.Flips.NFRMinusAAFloorOver = 0.001 }, gate.Inconclusive, "flips", "1.7% of items were forgotten"},
		{"contamination over 5%", func(w *world) { w.in.Contaminated = contaminated(200, 301) }, gate.Inconclusive, "contamination", "301 benchmark items (5.0%) occur in the training data"},
		{"little contamination", func(w *world) { w.in.Contaminated = contaminated(200, 30) }, gate.Pass, "all", ""},
		{"slow first token", func(w *world) { w.in.Extras.TTFTP95Ratio = 1.2 }, gate.Inconclusive, "latency", "time to first token is 1.20 times the incumbent's; 1.10 is allowed"},
		{"dear", func(w *world) { w.in.Extras.CostRatio = 1.2 }, gate.Inconclusive, "latency", "cost is 1.20 times"},
		{"as fast and as cheap", func(w *world) { w.in.Extras = gate.Extras{TTFTP95Ratio: 1, TPOTP95Ratio: 1.05, CostRatio: 1} }, gate.Pass, "all", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			c.change(w)
			r := w.decide(t)
			require.Equal(t, c.verdict, r.Verdict, r.Reasons)
			require.Equal(t, c.rule, r.DecidingRule, r.Reasons)
			require.Contains(t, fmt.Sprint(r.Reasons), c.reason)
			require.NotEmpty(t, r.Reasons)
			require.Len(t, r.Rules, 13)
		})
	}
}

func contaminated(from, n int) map[string]bool {
	out := map[string]bool{}
	for i := range n {
		out[fmt.Sprintf("facts/i%05d", from+i)] = true
	}
	return out
}

func TestDecide_LeavesContaminatedItemsOut(t *testing.T) {
	w := newWorld()
	w.in.Contaminated = contaminated(0, 60) // the gained ones
	r := w.decide(t)
	require.Equal(t, 5940, r.Pooled.N)
	require.Negative(t, r.Pooled.Delta)
	require.True(t, r.Contamination.Excluded)
	require.Equal(t, 6000, r.Contamination.AllPooled.N)
	w.policy.Contamination.Use = "all"
	require.Equal(t, 6000, w.decide(t).Pooled.N)
}

func TestDecide_Forgetting(t *testing.T) {
	w := newWorld()
	w.in.Extras.History = []gate.Milestone{
		{Version: "1", Means: map[string]float64{"facts": 0.9}},
		{Version: "2", Means: map[string]float64{"facts": 0.995, "sums": 0.99}},
	}
	f := w.decide(t).Forgetting
	now := 1 - 50.0/3000
	require.InDelta(t, ((now-0.9)+(now-0.99))/2, f.BWT, 1e-9)
	require.InDelta(t, 0.995-now, f.Benchmarks["facts"], 1e-9)
	require.InDelta(t, 0.99-now, f.Benchmarks["sums"], 1e-9)
	require.Equal(t, 2, f.Versions)
}

func TestDecide_NamesWhatWasJudged(t *testing.T) {
	w := newWorld()
	w.in.Describe = func(bench, item string) (string, string) { return "question of " + bench + "/" + item, "the answer" }
	r := w.decide(t)
	require.Equal(t, map[string]string{"facts": "sha256:facts", "sums": "sha256:sums"}, r.Digests.Locks)
	require.Equal(t, w.policy.Digest(), r.Digests.Policy)
	require.Equal(t, "sha256:c", r.Digests.Candidate)
	require.Equal(t, "question of facts/i00060", r.Forgotten[0].Prompt)
	require.Equal(t, "the answer", r.Forgotten[0].Target)

	before := r.Digest()
	w.in.Digests.Candidate = "sha256:other"
	require.NotEqual(t, before, w.decide(t).Digest(), "another candidate is another report")
	w.in.Digests.Candidate = "sha256:c"
	w.policy.Pooled.MarginPP = 2
	require.NotEqual(t, before, w.decide(t).Digest(), "another policy is another report")
}

func TestDecide_Speed(t *testing.T) {
	w := newWorld()
	for i := range w.now {
		w.old[i].LatencyMs, w.now[i].LatencyMs, w.old[i].Tokens, w.now[i].Tokens = float64(i+1), float64(2*i+2), 10, 20
	}
	s := w.decide(t).Speed
	require.Equal(t, 5700.0, s.LatencyP95OldMs)
	require.Equal(t, 11400.0, s.LatencyP95NewMs)
	require.Equal(t, 20.0, s.TokensNew)
}

// A benchmark with no flips and few items must not look certain.
func TestDecide_NoFlipsAreNoProof(t *testing.T) {
	old, now := pair("a", "knowledge", 250, 0, 0)
	r := decide(t, gate.DefaultPolicy(), old, now)
	require.Equal(t, gate.Inconclusive, r.Verdict)
	require.Equal(t, "pooled", r.DecidingRule)
	require.Less(t, r.Pooled.CI95.Low, -0.01)
	require.Positive(t, r.Pooled.MDE)
}

func TestDecide_FewClustersNeedSignFlipsToo(t *testing.T) {
	policy := gate.DefaultPolicy()
	policy.Capability.MinItems = 1
	policy.Pooled.MarginPP, policy.Capability.MarginPP = 20, 20
	old, now := pair("a", "knowledge", 400, 0, 0)
	for i := range old {
		old[i].Cluster = fmt.Sprint(i % 4)
		now[i].Cluster = old[i].Cluster
	}
	r := decide(t, policy, old, now)
	require.Equal(t, gate.Inconclusive, r.Verdict, "four clusters are four observations")
	require.Equal(t, 4, r.Pooled.Clusters)
}
