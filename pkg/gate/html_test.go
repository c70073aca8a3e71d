package gate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
)

func TestReport_HTML_EscapesAndNamesDigest(t *testing.T) {
	old, now := pair("a", "knowledge", 300, 3, 27)
	now[10].Output, old[10].Prompt = `<script>alert(1)</script>`, "=1+1 & more"
	r := decide(t, gate.DefaultPolicy(), old, now)
	page, err := r.HTML()
	require.NoError(t, err)
	require.NotContains(t, string(page), "<script")
	require.Contains(t, string(page), "&lt;script&gt;")
	require.Contains(t, string(page), r.Digest())
	require.Contains(t, string(page), "FAIL")
}

func TestReport_JSON_IsCanonical(t *testing.T) {
	old, now := pair("a", "knowledge", 300, 3, 3)
	r := decide(t, gate.DefaultPolicy(), old, now)
	first, err := r.JSON()
	require.NoError(t, err)
	second, err := r.JSON()
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", r.Digest())
}
