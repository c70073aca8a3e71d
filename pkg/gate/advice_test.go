package gate_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
)

// needed reads the number of items that a reason asks for.
func needed(t *testing.T, reason string) int {
	t.Helper()
	found := regexp.MustCompile(`about (\d+) items`).FindStringSubmatch(reason)
	require.NotNil(t, found, reason)
	n, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return n
}

func TestDecide_TooFewItemsSayHowManyWouldDecide(t *testing.T) {
	old, now := pair("a", "knowledge", 300, 6, 6)
	r := decide(t, gate.DefaultPolicy(), old, now)
	require.Equal(t, gate.Inconclusive, r.Verdict)
	need := needed(t, r.Pooled.Reason)
	require.Contains(t, r.Summary, fmt.Sprintf("equal models need about %d items", need))

	old, now = pair("a", "knowledge", need, need/50, need/50)
	r = decide(t, gate.DefaultPolicy(), old, now)
	require.Equal(t, gate.Pass, r.Pooled.Verdict, "with so many items the same flips exclude the loss")
}

func TestDecide_FewerItemsThanAVerdictNeedsSayHowMany(t *testing.T) {
	old, now := pair("a", "knowledge", 50, 2, 2)
	r := decide(t, gate.DefaultPolicy(), old, now)
	require.Contains(t, r.Capabilities[0].Reason, "fewer than the 200 that a verdict needs")
	require.Greater(t, needed(t, r.Capabilities[0].Reason), 200)
}

func TestDecide_ClustersAndSeveralBenchmarksGrowAlike(t *testing.T) {
	old, now := pair("a", "knowledge", 300, 6, 6)
	for i := range old {
		old[i].Cluster = fmt.Sprint(i / 3)
		now[i].Cluster = old[i].Cluster
	}
	require.Regexp(t, `about \d+ items in \d+\.\d times as many clusters`, decide(t, gate.DefaultPolicy(), old, now).Pooled.Reason)
	o2, n2 := pair("b", "knowledge", 300, 6, 6)
	require.Regexp(t, `about \d+ items, \d+\.\d times as many of each benchmark`,
		decide(t, gate.DefaultPolicy(), append(old, o2...), append(now, n2...)).Pooled.Reason)
}

func TestDecide_ASmallLossAsksForMoreThanEqualModelsNeed(t *testing.T) {
	old, now := pair("a", "knowledge", 3000, 30, 45)
	r := decide(t, gate.DefaultPolicy(), old, now)
	require.Contains(t, r.Pooled.Reason, "if the change is truly -0.5 points, about")
	require.Greater(t, needed(t, r.Pooled.Reason), 3000)
}
