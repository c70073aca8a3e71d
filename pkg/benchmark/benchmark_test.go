package benchmark_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
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
		require.ErrorContains(t, err, "they differ in "+benchmark.NameParts([]string{name}))
		require.ErrorContains(t, err, "evaluate the incumbent again under lock "+benchmark.ShortLock(other.Lock()))
	}
}

func TestLock_ReadableLocksNameTheirParts(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"lm-eval/0.4.8:arc_easy", "lm-eval/0.4.9:arc_easy", "harness version"},
		{"lm-eval/0.4.9:sha256:1", "lm-eval/0.4.9:sha256:2", "items"},
		{"file:choice:sha256:1", "file:normalized_exact:sha256:1", "scorer"},
		{"file:choice:sha256:1", "lm-eval/0.4.9:arc_easy", "harness version, items, scorer"},
	} {
		differ := benchmark.DifferentParts(benchmark.LockParts(c.a), benchmark.LockParts(c.b))
		require.Equal(t, c.want, benchmark.NameParts(differ))
	}
	require.Nil(t, benchmark.LockParts(version().Lock()), "a digest hides its parts")
}

func TestComparable_CountsChangedItemsAndQuotesTheRest(t *testing.T) {
	old, now := version(), version()
	now.Items[0].Target = "Lyon"
	now.Items = append(now.Items[:len(now.Items)-1], benchmark.Item{ID: "new1", Input: "q"}, benchmark.Item{ID: "new2", Input: "q"})
	now.Decoding.MaxTokens = 77
	err := benchmark.Comparable(old, now)
	require.ErrorContains(t, err, "items (1 changed, 1 only in the first, 2 only in the second)")
	require.ErrorContains(t, err, `"maxTokens":77`)
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

// twentyThousand is a suite of industry size with long questions.
func twentyThousand() benchmark.Version {
	v := benchmark.Version{Name: "large", Scorer: benchmark.Scorer{Kind: "exact"}}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 20_000 {
		v.Items = append(v.Items, benchmark.Item{ID: fmt.Sprint(i), Input: sentence(random, 40), Target: sentence(random, 3), Capability: "k"})
	}
	return v
}

func sentence(random *rand.Rand, n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("w%d", random.IntN(5000))
	}
	return strings.Join(words, " ")
}

// Training data stream past 20,000 items (600,000 n-grams); the promise is 20 MB/s on a core.
func BenchmarkIndex_Overlaps(b *testing.B) {
	for name, text := range map[string]func(*rand.Rand) string{
		"ascii":   func(random *rand.Rand) string { return sentence(random, 20_000) },
		"unicode": func(random *rand.Rand) string { return "é " + sentence(random, 20_000) },
	} {
		b.Run(name, func(b *testing.B) {
			ix := benchmark.NewIndex(twentyThousand())
			row := text(rand.New(rand.NewPCG(2, 2)))
			before := cpuSeconds(b)
			for b.Loop() {
				if _, found := ix.Overlaps(row); found {
					b.Fatal("nothing overlaps here")
				}
			}
			b.ReportMetric(float64(b.N*len(row))/1e6/(cpuSeconds(b)-before), "MB/cpu-s")
		})
	}
}

// cpuSeconds is the processor time of this process so far: a busy machine stretches only the clock on the wall.
func cpuSeconds(t testing.TB) float64 {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
