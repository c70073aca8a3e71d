package asl_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// tenStates is the graph of the benchmarks: eight Pass states, a Choice and a Succeed.
func tenStates() string {
	var b strings.Builder
	for i := range 8 {
		fmt.Fprintf(&b, `"P%d":{"Type":"Pass","Assign":{"v%d":"{%% $states.input.n %%}"},"Next":"%s"},`, i, i, map[bool]string{true: "C", false: fmt.Sprint("P", i+1)}[i == 7])
	}
	return `{"QueryLanguage":"JSONata","StartAt":"P0","States":{` + b.String() +
		`"C":{"Type":"Choice","Choices":[{"Condition":"{% $v7 > 100 %}","Next":"S"}],"Default":"S"},"S":{"Type":"Succeed"}}}`
}

// BenchmarkRun_InMemory runs ten states per iteration without a journal.
func BenchmarkRun_InMemory(b *testing.B) { tenPerIteration(b, tenStates()) }

// BenchmarkRun_Arithmetic computes something in every one of the ten states.
func BenchmarkRun_Arithmetic(b *testing.B) {
	tenPerIteration(b, strings.ReplaceAll(tenStates(), "{% $states.input.n %}", "{% {'next': $states.input.n * 2 + 1, 'name': 'n-' & $states.input.n} %}"))
}

// BenchmarkRun_Lambda maps a list in eight of the ten states.
func BenchmarkRun_Lambda(b *testing.B) {
	tenPerIteration(b, strings.ReplaceAll(tenStates(), "{% $states.input.n %}", "{% $map([1, 2], function($v) { $v * $states.input.n }) %}"))
}

// BenchmarkRun_ByTheReference needs the reference implementation in eight of the ten states.
func BenchmarkRun_ByTheReference(b *testing.B) {
	tenPerIteration(b, strings.ReplaceAll(tenStates(), "{% $states.input.n %}", "{% $reduce([1, 2], function($a, $b) { $a + $b * $states.input.n }) %}"))
}

func tenPerIteration(b *testing.B, definition string) {
	b.Helper()
	m, err := asl.Parse([]byte(strings.ReplaceAll(definition, "$v7 > 100", "$states.input.n > 100")))
	require.NoError(b, err)
	for b.Loop() {
		r, err := asl.Simulate(context.Background(), m, asl.Env{Expressions: pool}, header(`{"n":1}`), nil, epoch)
		if err != nil || r.Execution().Status != asl.Succeeded {
			b.Fatal(err, r.Execution().Failure)
		}
	}
	b.ReportMetric(float64(b.N)*10/b.Elapsed().Seconds(), "transitions/s")
}

// BenchmarkRun_WithoutExpressions is the bare interpreter: ten Pass states.
func BenchmarkRun_WithoutExpressions(b *testing.B) {
	var states []string
	for i := range 9 {
		states = append(states, fmt.Sprintf(`"P%d":{"Type":"Pass","Next":"P%d"}`, i, i+1))
	}
	m, err := asl.Parse([]byte(`{"QueryLanguage":"JSONata","StartAt":"P0","States":{` + strings.Join(states, ",") + `,"P9":{"Type":"Succeed"}}}`))
	require.NoError(b, err)
	for b.Loop() {
		if _, err := asl.Simulate(context.Background(), m, asl.Env{Expressions: pool}, header(`{"n":1}`), nil, epoch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*10/b.Elapsed().Seconds(), "transitions/s")
}

func BenchmarkParse(b *testing.B) {
	def := []byte(tenStates())
	for b.Loop() {
		if _, err := asl.Parse(def); err != nil {
			b.Fatal(err)
		}
	}
}
