package jsonata_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

var pool = jsonata.NewPool(jsonata.Limits{Time: time.Second, Memory: 128 << 20})

func render(t *testing.T, expression, bindings string) (string, error) {
	t.Helper()
	template, err := json.Marshal("{% " + expression + " %}")
	require.NoError(t, err)
	out, err := pool.Render(template, "Output", []byte(bindings), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	return string(out), err
}

func TestBundle_IsThePublishedOne(t *testing.T) {
	raw, err := os.ReadFile("jsonata.min.js")
	require.NoError(t, err)
	sum := sha256.Sum256(raw)
	require.Equal(t, jsonata.SHA256, hex.EncodeToString(sum[:]))
}

func TestRender_Values(t *testing.T) {
	for expression, want := range map[string]string{
		`$states.input.a + 1`:                   `3`,
		`$x & "!"`:                              `"hi!"`,
		`$range(1,9,9)`:                         `1`,
		`$range(1,9,2)`:                         `[1,3,5,7,9]`,
		`$range(3,1,-1)`:                        `[3,2,1]`,
		`$partition([1..5],2)`:                  `[[1,2],[3,4],[5]]`,
		`$hash("a","SHA-256")`:                  `"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`,
		`$parse("{\"k\":[1]}").k`:               `[1]`,
		`$random(7) = $random(7)`:               `true`,
		`$length($uuid())`:                      `36`,
		`$now()`:                                `"2026-01-02T03:04:05.000Z"`,
		`$base64decode($base64encode("hallo"))`: `"hallo"`,
		`$pad("ä", -3, "#")`:                    `"##ä"`,
		`$pad("x", 3)`:                          `"x  "`,
		`[1,2,3][$ > 1]`:                        `[2,3]`,
		`{"a<b": "<&>"}`:                        `{"a<b":"<&>"}`,
		`$map([1,2], function($v){ $v * $states.input.a })`: `[2,4]`,
	} {
		got, err := render(t, expression, `{"states":{"input":{"a":2}},"x":"hi"}`)
		require.NoError(t, err, expression)
		require.Equal(t, want, got, expression)
	}
}

func TestRender_Failures(t *testing.T) {
	for expression, want := range map[string]jsonata.Kind{
		`$nothing`:             jsonata.Undefined,
		`function($x){$x}`:     jsonata.Unsupported,
		`{"f": $sum}`:          jsonata.Unsupported,
		`$unknown(1)`:          jsonata.Thrown,
		`$eval("1")`:           jsonata.Thrown,
		`1 + "a"`:              jsonata.Thrown,
		`$pad("", 1000000000)`: jsonata.Memory,
		`$pad("x", 262146)`:    jsonata.Memory,
		`($f := function($s){ $f($s & $s) }; $f("0123456789abcdef"))`:          jsonata.Thrown,
		`($s := $pad("x", 250000); $join($map([1..200], function($v){ $s })))`: jsonata.Thrown,
	} {
		e := failure(t, patient, expression)
		require.Equal(t, want, e.Kind, "%s: %v", expression, e)
	}
}

func TestRender_StopsWhatDoesNotEnd(t *testing.T) {
	for _, expression := range []string{
		`($f := function(){ $f() }; $f())`,
		`($f := function($n){ 1 + $f($n) }; $f(1))`,
		`($f := function($a){ $f($append($a, [1..1000])) }; $count($f([1])))`,
		`$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(?=a)(a+)+$/)`,
	} {
		e := failure(t, pool, expression)
		require.Contains(t, []jsonata.Kind{jsonata.Limit, jsonata.Memory}, e.Kind, "%s: %v", expression, e)
	}
}

// patient has the time that a busy machine needs.
var patient = jsonata.NewPool(jsonata.Limits{Time: time.Minute, Memory: 512 << 20})

// failure renders an expression that fails.
func failure(t *testing.T, p *jsonata.Pool, expression string) *jsonata.Error {
	t.Helper()
	quoted, err := json.Marshal("{% " + expression + " %}")
	require.NoError(t, err)
	_, err = p.Render(quoted, "Output", []byte(`{}`), time.Unix(0, 0))
	var e *jsonata.Error
	require.ErrorAs(t, err, &e, expression)
	require.Equal(t, "Output", e.Location)
	require.Equal(t, expression, e.Expression)
	return e
}

func TestInspect_TellsWhatAnExpressionRefersTo(t *testing.T) {
	f, err := pool.Inspect(`($y := $x; $map($states.input.rows, function($r){ $r.a + $y + $z }))`)
	require.NoError(t, err)
	require.Equal(t, []string{"x", "z"}, f.Variables)
	require.Equal(t, []string{"map"}, f.Functions)
	require.Equal(t, [][]string{{"input", "rows"}}, f.States)
	require.Empty(t, f.Names)
	f, err = pool.Inspect(`a.b + $.c + $$.d`)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, f.Names)
	require.True(t, f.Context)
	require.True(t, f.Root)
	f, err = pool.Inspect(`$states.input.rows@$r#$i[$r.ok].{"x": $r.a, "i": $i, "p": b} ~> $sum`)
	require.NoError(t, err)
	require.Equal(t, []string{"sum"}, f.Variables)
	require.Empty(t, f.Names)
	_, err = pool.Inspect(`1 ?? 2`)
	require.Error(t, err)
}
