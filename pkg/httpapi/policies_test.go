package httpapi_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

func TestPolicies_AModelGetsItsOwnPolicyByVersions(t *testing.T) {
	w := newWorld(t)
	w.model()
	c := w.typed("root")
	was, err := c.GetGatePolicy(w.ctx, oas.GetGatePolicyParams{Model: "support"})
	require.NoError(t, err)
	require.Zero(t, was.Response.Number, "the platform's default")
	require.Equal(t, gate.OneMachinePolicy().Digest(), was.Response.Digest)

	policy := gate.OneMachinePolicy()
	policy.Pooled.MarginPP = 4
	body, err := json.Marshal(policy)
	require.NoError(t, err)
	var change oas.GatePolicyChange
	require.NoError(t, change.UnmarshalJSON(fmt.Appendf(nil, `{"policy":%s,"reason":"our margin"}`, body)))
	set, err := c.SetGatePolicy(w.ctx, &change, oas.SetGatePolicyParams{Model: "support", IfMatch: oas.NewOptString(was.ETag)})
	require.NoError(t, err)
	require.Equal(t, 1, set.Response.Number)
	require.Equal(t, policy.Digest(), set.Response.Digest)
	require.Equal(t, "our margin", set.Response.Reason.Value)

	now, err := c.GetGatePolicy(w.ctx, oas.GetGatePolicyParams{Model: "support"})
	require.NoError(t, err)
	require.JSONEq(t, string(body), string(now.Response.Policy))
	change.Policy["alpha"] = []byte("0.01")
	_, err = c.SetGatePolicy(w.ctx, &change, oas.SetGatePolicyParams{Model: "support", IfMatch: oas.NewOptString(was.ETag)})
	require.Equal(t, 412, problem(t, err).StatusCode, "another came first")
	all, err := c.ListGatePolicies(w.ctx, oas.ListGatePoliciesParams{Model: "support"})
	require.NoError(t, err)
	require.Len(t, all.Items, 1)
}

func TestPolicies_AnAnchorIsPinnedAndLetGo(t *testing.T) {
	w := newWorld(t)
	w.model()
	c := w.typed("root")
	m, err := c.GetModel(w.ctx, oas.GetModelParams{Model: "support"})
	require.NoError(t, err)
	require.False(t, m.Response.Anchor.Set)
	for _, version := range []int{1, 0} {
		m, err = c.SetAnchor(w.ctx, &oas.AnchorChange{Version: version, Reason: "the first that customers knew"},
			oas.SetAnchorParams{Model: "support", IfMatch: oas.NewOptString(m.ETag)})
		require.NoError(t, err)
		require.Equal(t, version, m.Response.Anchor.Value)
	}
	_, err = c.SetAnchor(w.ctx, &oas.AnchorChange{Version: 1, Reason: "again"}, oas.SetAnchorParams{Model: "support", IfMatch: oas.NewOptString(`"1"`)})
	require.Equal(t, 412, problem(t, err).StatusCode)
}
