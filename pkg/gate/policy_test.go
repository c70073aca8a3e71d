package gate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
)

func TestParsePolicy_RoundTrip(t *testing.T) {
	for _, p := range []gate.Policy{gate.DefaultPolicy(), gate.OneMachinePolicy()} {
		b, err := json.Marshal(p)
		require.NoError(t, err)
		again, err := gate.ParsePolicy(b)
		require.NoError(t, err)
		require.Equal(t, p, again)
		require.Equal(t, p.Digest(), again.Digest())
	}
	require.NotEqual(t, gate.DefaultPolicy().Digest(), gate.OneMachinePolicy().Digest())
}

// The defaults, as promised.
func TestDefaultPolicy_Margins(t *testing.T) {
	p := gate.DefaultPolicy()
	require.Equal(t, 0.05, p.Alpha)
	require.Equal(t, 1.0, p.Pooled.MarginPP)
	require.Equal(t, 3.0, p.Capability.MarginPP)
	require.Equal(t, 200, p.Capability.MinItems)
	require.Equal(t, 2.0, p.Anchor.MarginPP)
	require.Equal(t, 0.5, p.Safety.OneSidedMarginPP)
	require.Equal(t, gate.Fail, p.Safety.OnInconclusive)
	require.Zero(t, p.Pairing.MaxUnpaired)
	require.Equal(t, 0.01, p.Pairing.MaxItemErrors)
	require.Equal(t, 0.05, p.Contamination.ReviewIfOver)
	require.Equal(t, 72, p.Approval.TTLHours)
	require.True(t, p.Approval.NotRequester)
}

func TestParsePolicy_ReadsSnakeCase(t *testing.T) {
	b, err := json.Marshal(gate.DefaultPolicy())
	require.NoError(t, err)
	snake := strings.NewReplacer(`"marginPp"`, `"margin_pp"`, `"maxUnpaired"`, `"max_unpaired"`, `"minItems"`, `"min_items"`,
		`"benchmarkRegression"`, `"benchmark_regression"`, `"ttftP95RatioMax"`, `"ttft_p95_ratio_max"`).Replace(string(b))
	require.Contains(t, snake, "ttft_p95_ratio_max")
	p, err := gate.ParsePolicy([]byte(snake))
	require.NoError(t, err)
	require.Equal(t, gate.DefaultPolicy(), p)
}

func TestParsePolicy_RefusesWhatIsWrong(t *testing.T) {
	good, err := json.Marshal(gate.DefaultPolicy())
	require.NoError(t, err)
	for _, c := range []struct{ old, put, want string }{
		{`"alpha":0.05`, `"alpha":0`, "the policy's alpha is out of range"},
		{`"alpha":0.05`, `"alpha":"0.05"`, "alpha is a string where a number belongs"},
		{`"alpha":0.05`, `"alpha":0.05,"beta":0.2`, `unknown field "beta"`},
		{`"maxUnpaired":0`, `"maxUnpaired":2`, "pairing.maxUnpaired"},
		{`"maxUnpaired":0`, `"maxUnparied":0`, `pairing.maxUnparied: the policy has an unknown field "pairing.maxUnparied"`},
		{`"minItems":200`, `"minItems":0`, "capability.minItems"},
		{`"minItems":200`, `"minItems":200,"marginsPp":{"law":0}`, "capability.marginsPp.law"},
		{`"weights":"equal-benchmark"`, `"weights":"by-mood"`, "use equal-benchmark or equal-item"},
		{`"onHit":"FAIL"`, `"onHit":"PASS"`, "use INCONCLUSIVE or FAIL"},
		{`"gate-policy/v1"`, `"gate-policy/v2"`, `use "gate-policy/v1"`},
		{`{"schema"`, `[{"schema"`, "cannot be read"},
		{`"correction":"holm"`, `"correction":"none"`, "use holm"},
	} {
		t.Run(c.put, func(t *testing.T) {
			require.Contains(t, string(good), c.old)
			_, err := gate.ParsePolicy([]byte(strings.Replace(string(good), c.old, c.put, 1)))
			require.True(t, errs.Is(err, errs.Invalid), err)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err = gate.ParsePolicy([]byte("\xef\xbb\xbf" + string(good)))
	require.NoError(t, err, "a byte order mark is no fault")
	_, err = gate.ParsePolicy([]byte("[]"))
	require.ErrorContains(t, err, "the policy is a list where an object belongs")
	_, err = gate.ParsePolicy([]byte(string(good) + "{}"))
	require.ErrorContains(t, err, "more than one JSON value")
	_, err = gate.Decide(gate.Policy{}, gate.Input{})
	require.True(t, errs.Is(err, errs.Invalid))
}

// The schema names exactly the keys that the policy has.
func TestPolicyJSONSchema_CoversEveryKey(t *testing.T) {
	var schema, policy map[string]any
	require.NoError(t, json.Unmarshal(gate.PolicyJSONSchema(), &schema))
	full := gate.DefaultPolicy()
	full.Capability.MarginsPP = map[string]float64{"law": 1}
	b, err := json.Marshal(full)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &policy))
	sameKeys(t, "policy", schema, policy)
}

func sameKeys(t *testing.T, path string, schema, value map[string]any) {
	t.Helper()
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		return // free keys, such as capability names
	}
	for key := range properties {
		require.Contains(t, value, key, path)
	}
	for key, v := range value {
		require.Contains(t, properties, key, path)
		if child, ok := v.(map[string]any); ok {
			sameKeys(t, path+"."+key, properties[key].(map[string]any), child)
		}
	}
}
