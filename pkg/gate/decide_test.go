package gate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
)

// pair makes n items of one benchmark: both right, but for b gained and c forgotten.
func pair(bench, capability string, n, b, c int) (old, now []gate.Result) {
	for i := range n {
		r := gate.Result{Benchmark: bench, Lock: "sha256:" + bench, Capability: capability, Item: fmt.Sprintf("i%05d", i), Score: 1}
		o, w := r, r
		switch {
		case i < b:
			o.Score = 0
		case i < b+c:
			w.Score = 0
		}
		o.Output, w.Output = fmt.Sprint("old ", i), fmt.Sprint("new ", i)
		old, now = append(old, o), append(now, w)
	}
	return old, now
}

func decide(t *testing.T, policy gate.Policy, old, now []gate.Result) gate.Report {
	t.Helper()
	report, err := gate.Decide(policy, gate.Input{Incumbent: gate.Slice(old), Candidate: gate.Slice(now)})
	require.NoError(t, err)
	return report
}

func TestDecide_PassesWhenLossIsExcluded(t *testing.T) {
	old, now := pair("a", "knowledge", 2000, 60, 50)
	r := decide(t, gate.DefaultPolicy(), old, now)
	require.Equal(t, gate.Pass, r.Verdict, r.Reasons)
	require.Equal(t, 0.005, r.Pooled.Delta)
	require.Len(t, r.Forgotten, 50)
	require.Equal(t, "old 60", r.Forgotten[0].OldOutput)
	require.Equal(t, "new 60", r.Forgotten[0].NewOutput)
}

func TestDecide_FailsOnShownRegression(t *testing.T) {
	old, now := pair("a", "knowledge", 300, 3, 27)
	r := decide(t, gate.DefaultPolicy(), old, now)
	require.Equal(t, gate.Fail, r.Verdict)
	require.Equal(t, "benchmarkRegression", r.DecidingRule)
}

func TestDecide_NoDataNeverPass(t *testing.T) {
	r := decide(t, gate.DefaultPolicy(), nil, nil)
	require.Equal(t, gate.Inconclusive, r.Verdict)
	require.Equal(t, "data", r.DecidingRule)
}

func TestDecide_OrderOfItemsDoesNotMatter(t *testing.T) {
	old, now := pair("a", "knowledge", 400, 10, 12)
	o2, n2 := pair("b", "reasoning", 300, 10, 12)
	old, now = append(old, o2...), append(now, n2...)
	want := decide(t, gate.DefaultPolicy(), old, now).Digest()
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(old), func(i, j int) { old[i], old[j] = old[j], old[i] })
	random.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
	require.Equal(t, want, decide(t, gate.DefaultPolicy(), old, now).Digest())
}
