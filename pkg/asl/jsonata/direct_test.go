package jsonata_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

// generator makes random expressions of the kinds that are answered directly, right and wrong ones.
type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

func (g generator) expression(depth int) string {
	if depth == 0 {
		return g.leaf()
	}
	sub := func() string { return g.expression(g.IntN(depth)) }
	switch g.IntN(14) {
	case 12, 13:
		return fmt.Sprintf("$%s(%s, function(%s){ %s })", pick(g, "map", "filter"), pick(g, "$arr", "$o.rows", "$o.nested", "$one", "[1,2,3]", "$n", "[]"),
			pick(g, "$v", "$v, $i", "$l", "$v, $i, $a", ""), pick(g, sub(), "$v", "$i", "$v + $i", "$v.v", "$v > 1", "$i > 0", "$v.v = 2", "[$v, $i]", "($l := $v; $l)", "$nothing", "$v[0]"))
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", sub(), pick(g, "+", "-", "*", "/", "%"), sub())
	case 2:
		return fmt.Sprintf("(%s %s %s)", sub(), pick(g, "=", "!=", "<", "<=", ">", ">="), sub())
	case 3:
		return fmt.Sprintf("%s & %s", sub(), sub())
	case 4:
		return fmt.Sprintf("(%s %s %s)", sub(), pick(g, "and", "or"), sub())
	case 5:
		return fmt.Sprintf("(%s ? %s : %s)", sub(), sub(), sub())
	case 6:
		return fmt.Sprintf("[%s, %s]", sub(), sub())
	case 7:
		return fmt.Sprintf(`{"a": %s, "%s": %s}`, sub(), pick(g, "b", "c<", "1", "a"), sub())
	case 8:
		return fmt.Sprintf("($l := %s; %s)", sub(), sub())
	case 9:
		return "-" + g.leaf()
	}
	name := pick(g, "count", "sum", "max", "min", "average", "string", "length", "uppercase", "lowercase", "not", "abs", "floor", "ceil", "exists")
	return fmt.Sprintf("$%s(%s)", name, sub())
}

func (g generator) leaf() string {
	return pick(g, "1", "0", "2.5", "0.1", "1e3", "12345678901234567890", "'x'", `"é"`, "'Straße'", "true", "false", "null", "$n", "$f", "$s", "$b", "$l",
		"$arr", "$one", "$o", "$o.p", "$o.p.q", "$o.rows[0]", "$o.rows[1].v", "$o.rows[-1].v", "$o.rows.v", "$o.rows[v=1].v", "$states.input.n", "$states.input.deep.x",
		"$states.input.missing", "$nothing", "$max", "[]", "[1,2,3]", "{}", "$arr[0]", "$arr[1]", "$o.one[0]", "$o.nested[0]", "$o.p.q[0]")
}

const world = `{"n":%s,"f":-0.30000000000000004,"s":"text","b":true,"arr":[3,1,2.5],"one":[7],
	"o":{"p":{"q":"z"},"rows":[{"v":1},{"v":2}],"one":[{"w":1}],"nested":[[1],[2]]},"states":{"input":{"n":41,"deep":{"x":[1]}}}}`

// agree holds the direct answer to the reference's and tells whether the direct way was taken.
func agree(t *testing.T, p *jsonata.Pool, expression, bindings string) bool {
	t.Helper()
	quoted, err := json.Marshal("{% " + expression + " %}")
	require.NoError(t, err)
	template := string(quoted)
	want, wantErr := jsonata.Reference(p, template).Render(quoted, "Output", []byte(bindings), time.Unix(0, 0))
	got, err := p.Render(quoted, "Output", []byte(bindings), time.Unix(0, 0))
	require.Equal(t, string(want), string(got), "%s with %s", expression, bindings)
	require.Equal(t, wantErr, err, expression)
	return jsonata.Short(p, template, bindings)
}

func TestDirect_AnswersRandomExpressionsAsTheReferenceImplementation(t *testing.T) {
	p := jsonata.NewPool(jsonata.Limits{})
	g := generator{rand.New(rand.NewPCG(2, 6))}
	short := 0
	const n = 1200
	for range n {
		number := pick(g, "1", "-7", "0", "-0", "3.75", "1e21", "1e-7", "123456789.123456789", "99999999999999999")
		if agree(t, p, g.expression(1+g.IntN(3)), fmt.Sprintf(strings.ReplaceAll(world, "\n\t", ""), number)) {
			short++
		}
	}
	require.Greater(t, short, n/12, "the direct way is hardly taken")
}

func TestDirect_IsTakenForWhatMachinesCompute(t *testing.T) {
	p := jsonata.NewPool(jsonata.Limits{})
	bindings := fmt.Sprintf(strings.ReplaceAll(world, "\n\t", ""), "5")
	for _, e := range []string{
		`$n + 1`, `$states.input.n * 2 - $n % 3`, `'job-' & $s & '-' & $n`, `$n > 3 and $b`, `$count($arr)`, `$sum($arr) / $count($arr)`,
		`{"total": $n + 1, "name": $s}`, `[$n, $s]`, `$b ? 'yes' : 'no'`, `$o.rows[0].v`, `($m := $n * 2; $m + 1)`, `$not($b)`, `$states.input.n >= 41`,
		`$map($arr, function($v) { $v * $states.input.n })`, `$map($o.rows, function($r, $i) { {"v": $r.v + $i, "s": $s} })`, `$filter($arr, function($v) { $v > 1 })`,
		`$sum($map($arr, function($v) { $v * 2 }))`, `($k := 3; $map($arr, function($v) { $map($arr, function($w) { $v * $w + $k }) }))`,
	} {
		require.True(t, agree(t, p, e, bindings), e)
	}
	for _, e := range []string{`$o.rows.v`, `$sum([1, 'a'])`, `$n & null`, `1 / 0`, `$nothing`, `$now()`, `{"1": $n}`, `$map($one, function($v){ $v })`, `$map($arr, $string)`, `$filter($arr, function($v) { $v > 2.5 })`, `$map($arr, function($v, $i, $a){ $a[0] })`, `$arr[$n > 1]`, `'\ud800'`, `$length($sum)`} {
		require.False(t, agree(t, p, e, bindings), e)
	}
	for _, doubling := range []string{`$v := $v & $v;`, `$v := {"a": $v, "b": $v};`, `$v := [{"a": $v}, {"b": $v}];`} {
		template := fmt.Sprintf(`"{%% ($v := 'xxxxxxxx'; %s 1) %%}"`, strings.ReplaceAll(strings.Repeat(doubling, 40), `"`, `'`))
		require.False(t, jsonata.Short(p, template, `{}`), "what grows without end is left to the watched implementation: %s", doubling)
	}
	many, _ := json.Marshal(make([]int, 200))
	template := `"{% $map($l, function($a){ $map($l, function($b){ $a }) }) %}"`
	require.False(t, jsonata.Short(p, template, `{"l":`+string(many)+`}`), "40,000 calls are left to the watched implementation")
	require.False(t, agree(t, p, `$map($arr, function($v){ $v })`, `{"arr":[1,2],"map":1}`), "an assigned variable hides a function")
	require.False(t, agree(t, p, `$sum($arr)`, `{"arr":[1],"sum":"\u00e9"}`), "an assigned variable hides a function")
}

// FuzzDirect looks for expressions that are answered in another way than by the reference implementation.
func FuzzDirect(f *testing.F) {
	g := generator{rand.New(rand.NewPCG(1, 1))}
	for range 40 {
		f.Add(g.expression(3), "5")
	}
	p := jsonata.NewPool(jsonata.Limits{Time: time.Second, Memory: 64 << 20})
	f.Fuzz(func(t *testing.T, expression, number string) {
		bindings := fmt.Sprintf(strings.ReplaceAll(world, "\n\t", ""), number)
		if !json.Valid([]byte(bindings)) || strings.Contains(expression, "uuid") || strings.Contains(expression, "random") {
			return
		}
		quoted, _ := json.Marshal("{% " + expression + " %}")
		if jsonata.Short(p, string(quoted), bindings) {
			agree(t, p, expression, bindings)
		}
	})
}
