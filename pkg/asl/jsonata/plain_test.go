package jsonata_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

func TestPlain_AnswersAsTheReferenceImplementation(t *testing.T) {
	values := []string{`1`, `-0`, `0`, `1.0`, `1e2`, `12345678901234567890`, `-7`, `"x"`, `"a\nb"`, `"\u00e9"`, `"é<&>"`, `"\/"`, `true`, `false`, `null`, `[]`, `[1]`, `[[1]]`,
		`[1,2]`, `{}`, `{"b":1}`, `{"b":[{"c":1}]}`, `[{"b":1},{"b":2}]`, `{"2":1,"1":2}`, `{"b":{"c":"d"}}`, `""`, `"{% 1 %}"`}
	templates := []string{`"{% $v %}"`, `"{% $states.input.v %}"`, `"{% $states.input.v.b %}"`, `"{% $v.b.c %}"`, `{"k":"{% $v %}","l":["{% $states.input.v %}",1,"t"]}`,
		`"{% $v = 1 %}"`, `"{% $v != 'x' %}"`, `"{%$v>=0%}"`, `"{% $v = true %}"`, `"{% $v < 'b' %}"`, `"{% $v.in %}"`, `"{% $missing %}"`, `"{% $v=-0 %}"`, `"{% $v = \"x\" %}"`,
		`{"10":"{% $v %}","9":1}`, `{"a.b":"{% $v %}"}`, `" {% $v %}"`, `"{% $v.true %}"`, `[]`, `{}`, `{"a":"{% $v \u0026 1 %}"}`, `{"\u00e9":"{% $v %}"}`, `{"a":1,"a":"{% $v %}"}`, `{"__proto__":"{% $v %}"}`}
	p := jsonata.NewPool(jsonata.Limits{})
	short := 0
	for _, template := range templates {
		for _, v := range values {
			bindings := fmt.Sprintf(`{"states":{"input":{"v":%s}},"v":%s}`, v, v)
			want, wantErr := jsonata.Reference(p, template).Render(json.RawMessage(template), "Output", []byte(bindings), time.Unix(0, 0))
			got, err := p.Render(json.RawMessage(template), "Output", []byte(bindings), time.Unix(0, 0))
			require.Equal(t, string(want), string(got), "%s with %s", template, v)
			require.Equal(t, wantErr, err, "%s with %s", template, v)
			if jsonata.Short(p, template, bindings) {
				short++
			}
		}
	}
	require.Greater(t, short, 150, "the short way is hardly taken")
}

func BenchmarkRender_Reference(b *testing.B) {
	p := jsonata.NewPool(jsonata.Limits{})
	for b.Loop() {
		if _, err := p.Render(json.RawMessage(`{"a":"{% $states.input.n %}"}`), "Output", []byte(`{"states":{"input":{"n":1}}}`), time.Unix(0, 0)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRender_Expression(b *testing.B) {
	p := jsonata.NewPool(jsonata.Limits{})
	for b.Loop() {
		if _, err := p.Render(json.RawMessage(`{"a":"{% $states.input.n + 1 %}"}`), "Output", []byte(`{"states":{"input":{"n":1}}}`), time.Unix(0, 0)); err != nil {
			b.Fatal(err)
		}
	}
}
