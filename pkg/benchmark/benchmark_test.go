package benchmark_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
)

func version() benchmark.Version {
	return benchmark.Version{
		Name: "capitals",
		Items: []benchmark.Item{
			{ID: "fr", Input: "What is the capital of France?", Target: "Paris", Capability: "knowledge"},
			{ID: "long", Input: "Explain in the words of the handbook which valve must be closed before the pump is started after a planned stop of the plant", Target: "the blue inlet valve on the north side of the hall", Capability: "knowledge"},
			{ID: "mid", Input: "Name the day on which the plant in Ghent opened its second production line", Target: "3 May", Capability: "knowledge"},
		},
		Scorer:   benchmark.Scorer{Kind: "exact"},
		Decoding: benchmark.Decoding{MaxTokens: 16},
	}
}

func TestVersion_Lock(t *testing.T) {
	v := version()
	require.NoError(t, v.Validate())
	lock := v.Lock()
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", lock)

	reordered := version()
	reordered.Items[0], reordered.Items[1] = reordered.Items[1], reordered.Items[0]
	reordered.Title = "Capitals and more"
	require.Equal(t, lock, reordered.Lock(), "order and titles do not matter")

	for name, change := range map[string]func(*benchmark.Version){
		"items":    func(v *benchmark.Version) { v.Items[0].Target = "Lyon" },
		"scorer":   func(v *benchmark.Version) { v.Scorer.Kind = "contains" },
		"prompt":   func(v *benchmark.Version) { v.Prompt.Chat = true },
		"decoding": func(v *benchmark.Version) { v.Decoding.MaxTokens++ },
		"judge":    func(v *benchmark.Version) { v.Judge = &benchmark.Judge{Model: "m"} },
		"harness":  func(v *benchmark.Version) { v.Harness = "lm-eval/0.4.9" },
	} {
		other := version()
		change(&other)
		require.Equal(t, []string{name}, benchmark.Differences(v, other))
		err := benchmark.Comparable(v, other)
		require.True(t, errs.Is(err, errs.Precondition))
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "evaluate the incumbent again under lock "+benchmark.ShortLock(other.Lock()))
	}
}

func TestIndex_Overlaps(t *testing.T) {
	v := version()
	ix := benchmark.NewIndex(v)
	for _, c := range []struct{ name, text, item string }{
		{"short item: question and answer alike", "what is the CAPITAL of france?\nParis!", "capitals/fr"},
		{"short item: other answer", "What is the capital of France? Lyon", ""},
		{"short item within more text", "So, what is the capital of France? Paris", ""},
		{"long item: thirteen words", "x valve must be closed before the pump is started after a planned stop of y", "capitals/long"},
		{"long item: eight words", "valve must be closed before the pump is", ""},
		{"middle item: half of it", "on which the plant in Ghent opened its second production line 3 may", "capitals/mid"},
		{"middle item: one run of eight words", "on which the plant in Ghent opened its", ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			item, found := ix.Overlaps(c.text)
			require.Equal(t, c.item, item)
			require.Equal(t, c.item != "", found)
		})
	}
}

func BenchmarkIndex_Overlaps(b *testing.B) {
	ix := benchmark.NewIndex(version())
	row := strings.Repeat("The quick brown fox jumps over the lazy dog, and the dog does not mind it at all. ", 100)
	b.SetBytes(int64(len(row)))
	for b.Loop() {
		ix.Overlaps(row)
	}
}
