package dataset_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
)

// whole finds only texts that are equal.
type whole string

func (w whole) Overlaps(text string) (string, bool) { return "golden/1", text == string(w) }

func TestService_Check_FindsABenchmarkItemInsideAChat(t *testing.T) {
	w := newWorld(t, func(d *dataset.Deps) {
		d.Overlaps = func(context.Context, dataset.Dataset) (dataset.Overlaps, error) { return whole("2+2?\n4"), nil }
	})
	turn := func(role, content string) string { return `{"role":"` + role + `","content":"` + content + `"}` }
	ing := w.check("a.jsonl", `{"messages":[`+turn("system", "Be brief.")+","+turn("user", "Hi")+","+turn("assistant", "Hello")+
		","+turn("user", "2+2?")+","+turn("assistant", "4")+"]}\n"+pairs("a", 3))
	require.Equal(t, 1, ing.Counts.Overlaps)
}

func TestErrorGroup_SaysWhatIsWrongAndHowToMendIt(t *testing.T) {
	w := newWorld(t, nil)
	ing := w.check("a.jsonl", faulty+`{"prompt":"a","completion":"b","x":1}`)
	require.Len(t, ing.Warnings, 2)
	for _, g := range append(ing.Errors, ing.Warnings...) {
		require.NotEmpty(t, g.Title, g.Rule)
		require.NotEmpty(t, g.Hint, g.Rule)
	}
}

func TestService_Check_MasksPersonalDataInExamples(t *testing.T) {
	w := newWorld(t, nil)
	ing := w.check("a.jsonl", `{"messages":[{"role":"jane@example.com","content":"x"}]}`)
	require.Equal(t, `"[EMAIL]"`, ing.Errors[0].Examples[0].Found)
}
