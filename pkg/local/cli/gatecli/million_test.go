package gatecli_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/cli/gatecli"
)

// resultFile writes n result lines as Python's json.dumps does, over twenty benchmarks in clusters of four; one in
// twenty is wrong.
func resultFile(t testing.TB, dir string, n int, seed uint64) string {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprint(seed, ".jsonl"))
	file, err := os.Create(path)
	require.NoError(t, err)
	out, random := bufio.NewWriter(file), rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		fmt.Fprintf(out, `{"benchmark": "bench-%02d", "lock": "sha256:%064d", "capability": "cap-%d", "item": "item-%07d", "cluster": "c%d", "score": %d, "output": "the answer is %d", "latencyMs": %d.5, "tokens": %d}`+"\n",
			i%20, i%20, i%4, i, i/80, min(1, random.IntN(20)), random.IntN(1000), random.IntN(900), random.IntN(90))
	}
	require.NoError(t, out.Flush())
	require.NoError(t, file.Close())
	return path
}

// The command on a million pairs from two files: the promise is 5 s and 500 MB on one core. Processor time tells what
// the clock of a busy machine does not.
func BenchmarkGate_Million(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	dir := b.TempDir()
	sides := []string{"--incumbent", resultFile(b, dir, 1_000_000, 1), "--candidate", resultFile(b, dir, 1_000_000, 2)}
	before := processor(b)
	for b.Loop() {
		code, out, errOut := call(gatecli.Gate(), sides...)
		require.Contains(b, []int{gatecli.ExitPass, gatecli.ExitInconclusive}, code, errOut)
		require.Contains(b, out, "1000000 items have a score on both sides")
	}
	b.ReportMetric((processor(b)-before)/float64(b.N), "cpu-s/op")
	b.ReportMetric(peak(b), "peakMB")
}

// processor is this process's time on the processor so far, the system's share included.
func processor(t testing.TB) float64 {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// peak is the largest resident size of this process so far in MB, 0 where the system does not tell.
func peak(t testing.TB) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kB float64
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kB); err == nil {
			return kB / 1024
		}
	}
	return 0
}
