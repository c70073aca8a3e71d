package benchmark_test

import (
	"io/fs"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/training/benchmarks"
)

func TestSuite_ShipsLockedAndCoversEveryCapability(t *testing.T) {
	folders, err := fs.Glob(benchmarks.Files, "perennial-*")
	require.NoError(t, err)
	require.Len(t, folders, 5)
	perCapability, total := map[string]int{}, 0
	for _, folder := range folders {
		v := shipped(t, folder)
		require.Equal(t, folder, v.Name)
		for _, it := range v.Items {
			perCapability[it.Capability]++
			total++
		}
	}
	require.GreaterOrEqual(t, total, 200)
	require.Len(t, perCapability, 5)
	for capability, n := range perCapability {
		require.GreaterOrEqual(t, n, 30, capability)
	}
}

func shipped(t *testing.T, folder string) benchmark.Version {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"lock.json", "items.jsonl"} {
		content, err := benchmarks.Files.ReadFile(path.Join(folder, name))
		require.NoError(t, err)
		files[name] = content
	}
	v, err := benchmark.FromFiles(files)
	require.NoError(t, err)
	require.Equal(t, files, v.Files(), "the files are in canonical form and carry their lock")
	return v
}

func TestLibrary_NamesLicenceSourceSizeAndMetric(t *testing.T) {
	content, err := benchmarks.Files.ReadFile("library.json")
	require.NoError(t, err)
	lib, err := benchmark.ParseLibrary(content)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(lib.Benchmarks), 25)
	names := map[string]bool{}
	for _, e := range lib.Benchmarks {
		require.NotContains(t, e.Licence, "unstated", e.Name)
		names[e.Name] = true
	}
	for _, want := range []string{"mmlu", "mmlu-pro", "arc-challenge", "hellaswag", "winogrande", "piqa", "boolq", "gsm8k",
		"ifeval", "truthfulqa", "bbh", "gpqa", "humaneval", "mbpp"} {
		require.True(t, names[want], want)
	}
}
