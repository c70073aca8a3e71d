package gatecli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/cli/gatecli"
)

// stream writes a request each period seconds for half an hour, every nth of which fails.
func stream(t *testing.T, period, nth int) string {
	t.Helper()
	var text strings.Builder
	for at := 0; at < 1800; at += period {
		failed := 0
		if nth > 0 && (at/period)%nth == nth-1 {
			failed = 1
		}
		fmt.Fprintf(&text, "%d %d\n", at, failed)
	}
	return file(t, "s.txt", text.String())
}

func TestCanary_StopsABadOneOnly(t *testing.T) {
	base := stream(t, 1, 100)
	code, out, errOut := call(gatecli.Canary(), "--alpha", "0.01", "--baseline", base, "--canary", stream(t, 5, 10), "--json", "--exit-code")
	require.Equal(t, gatecli.ExitFail, code, errOut)
	var got struct {
		Stopped      bool    `json:"stopped"`
		StoppedAt    string  `json:"stoppedAt"`
		AfterSeconds float64 `json:"afterSeconds"`
		E            float64 `json:"e"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.True(t, got.Stopped)
	require.GreaterOrEqual(t, got.E, 100.0)
	require.Less(t, got.AfterSeconds, 1800.0)

	code, out, _ = call(gatecli.Canary(), "--baseline", base, "--canary", stream(t, 5, 100))
	require.Zero(t, code)
	require.Contains(t, out, "no stop in 60 ticks")
}

func TestCanary_RefusesWrongLines(t *testing.T) {
	good := file(t, "good.txt", "2026-11-24T10:00:00Z 0\n")
	bad := file(t, "bad.txt", "2026-11-24T10:00:00Z 0\nsoon 1\n2026-11-24T10:00:02Z 2\n7 1\n1\n")
	code, _, errOut := call(gatecli.Canary(), "--baseline", good, "--canary", bad)
	require.Equal(t, gatecli.ExitUnjudgeable, code)
	for _, want := range []string{`:2: the time "soon"`, `:3: the outcome "2"`, ":4: a date among seconds", ":5: 1 values"} {
		require.Contains(t, errOut, want)
	}
	for _, args := range [][]string{{}, {"--baseline", good}, {"--baseline", good, "--canary", "nowhere"}, {"--alpha", "7", "--baseline", good, "--canary", good}, {"--alfa"}} {
		code, _, _ := call(gatecli.Canary(), args...)
		require.Equal(t, gatecli.ExitUnjudgeable, code, args)
	}
}

func TestCanary_ReadsEveryFormOfLine(t *testing.T) {
	plain := file(t, "a.txt", "0 0\n1 1\n2.5 0\n")
	for name, text := range map[string]string{
		"outcome first": "0 0\n1 1\n0 2.5\n",
		"csv":           "time,error\n0,0\n1,1\n2.5,0\n",
		"json":          `{"time":0,"error":0}` + "\n" + `{"time":1,"error":true}` + "\n" + `{"time":2.5,"error":false}` + "\n",
		"unsorted":      "2.5\t0\n# a comment\n\n0\t0\n1\t1\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, want, _ := call(gatecli.Canary(), "--baseline", plain, "--canary", plain, "--json")
			code, got, errOut := call(gatecli.Canary(), "--baseline", plain, "--canary", file(t, "b.txt", text), "--json")
			require.Zero(t, code, errOut)
			require.Equal(t, want, got)
		})
	}
}

func TestCanary_TakesOutcomesAloneAsOneASecond(t *testing.T) {
	fine, bad := file(t, "fine", strings.Repeat("0\n", 900)), file(t, "bad", strings.Repeat("0\n1\n", 450))
	var out bytes.Buffer
	cmd := gatecli.Canary()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--baseline", fine, "--canary", bad})
	require.NoError(t, cmd.Execute())
	require.Contains(t, out.String(), "STOP at")
}
