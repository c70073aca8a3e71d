package gate_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/gate"
)

// writeItems writes n result lines over twenty benchmarks, of which about one in ten flips by seed.
func writeItems(t testing.TB, path string, n int, seed uint64) {
	t.Helper()
	file, err := os.Create(path)
	require.NoError(t, err)
	out := bufio.NewWriter(file)
	random := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		score := 1
		if random.Float64() < 0.05 {
			score = 0
		}
		fmt.Fprintf(out, `{"benchmark":"bench-%02d","lock":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","capability":"cap-%d","item":"item-%07d","score":%d,"output":"the answer is %d","latencyMs":%d.5,"tokens":%d}`+"\n",
			i%20, i%4, i, score, random.IntN(1000), random.IntN(900), random.IntN(90))
	}
	require.NoError(t, out.Flush())
	require.NoError(t, file.Close())
}

func opened(path string) gate.Results {
	return gate.Lines(filepath.Base(path), func() (io.ReadCloser, error) { return os.Open(path) })
}

func decideFiles(t testing.TB, dir string, n int) gate.Report {
	t.Helper()
	r, err := gate.Decide(gate.DefaultPolicy(), gate.Input{
		Incumbent: opened(filepath.Join(dir, "a")), Candidate: opened(filepath.Join(dir, "b")),
	})
	require.NoError(t, err)
	require.Equal(t, n, r.Pairing.Paired)
	return r
}

func TestDecide_HundredThousandItemsFromFiles(t *testing.T) {
	const n = 100_000
	dir := t.TempDir()
	writeItems(t, filepath.Join(dir, "a"), n, 1)
	writeItems(t, filepath.Join(dir, "b"), n, 2)
	r := decideFiles(t, dir, n)
	require.Len(t, r.Benchmarks, 20)
	require.Len(t, r.Forgotten, gate.MaxExamples)
	require.NotEmpty(t, r.Forgotten[0].OldOutput)
}
