package dataset_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/object"
)

// endless is an object store that makes one big arrival up while it is read, and forgets the content of
// shards and quarantine files.
type endless struct {
	*blobs
	size int64
	next func(i int) string
}

func (e *endless) Get(ctx context.Context, key string, offset int64) (io.ReadCloser, object.Info, error) {
	if !strings.HasPrefix(key, "incoming/") {
		return e.blobs.Get(ctx, key, offset)
	}
	return io.NopCloser(&generator{left: e.size, next: e.next}), object.Info{Key: key, Version: "1", Size: e.size}, nil
}

func (e *endless) Put(ctx context.Context, key string, r io.Reader, opt object.PutOptions) (object.Info, error) {
	if !strings.HasPrefix(key, "shards/") && !strings.Contains(key, "quarantine") {
		return e.blobs.Put(ctx, key, r, opt)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	return object.Info{Key: key, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// generator gives lines until the size is reached; the last one is cut.
type generator struct {
	left int64
	next func(i int) string
	i    int
	rest string
}

func (g *generator) Read(p []byte) (int, error) {
	if g.left == 0 {
		return 0, io.EOF
	}
	if g.rest == "" {
		g.rest = g.next(g.i)
		g.i++
	}
	n := copy(p[:min(int64(len(p)), g.left)], g.rest)
	g.rest, g.left = g.rest[n:], g.left-int64(n)
	return n, nil
}

const (
	mib = 1 << 20
	gib = 1 << 30
)

// peak checks one made-up arrival and gives the counts with the largest heap seen on the way.
func peak(t *testing.T, size int64, next func(i int) string) (dataset.Counts, uint64) {
	var most uint64
	w := newWorld(t, func(d *dataset.Deps) {
		d.Objects = &endless{blobs: &blobs{data: map[string][]byte{}}, size: size, next: next}
	})
	calls := 0
	w.deps.Clock = func() time.Time { // the check asks for the time every 1,024 rows
		if calls++; calls%16 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse+m.StackInuse)
		}
		return w.clock.Now()
	}
	w.open()
	ing, err := w.Arrive(t.Context(), by, "support", "incoming/support/big.jsonl", size, "1")
	require.NoError(t, err)
	out, err := w.Check(t.Context(), ing.ID)
	require.NoError(t, err)
	return out.Counts, most
}

func TestService_Check_ManyRowsTakeLittleMemory(t *testing.T) {
	counts, most := peak(t, 96*mib, func(i int) string {
		return fmt.Sprintf(`{"prompt":"What does contract %d of customer %x say?","completion":"It runs until the %d%s"}`+"\n",
			i, uint32(i)*2654435761, i%28, strings.Repeat(" day of the month, and so on", 20))
	})
	require.Greater(t, counts.Accepted, 120_000)
	require.LessOrEqual(t, counts.Rejected, 1)
	require.Less(t, most, uint64(256*mib))
	t.Logf("%d rows, heap at most %d MiB", counts.Rows, most/mib)
}

func TestService_Check_OneEndlessLineIsOneBadRow(t *testing.T) {
	line := strings.Repeat("x", mib)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	counts, _ := peak(t, gib, func(i int) string {
		if i == 0 {
			return `{"text":"good"}` + "\n" + `{"text":"`
		}
		if i == 1000 {
			return "\"}\n" + `{"text":"good too"}` + "\n"
		}
		return line
	})
	runtime.ReadMemStats(&after)
	require.Equal(t, dataset.Counts{Rows: 4, Accepted: 2, Rejected: 2}, counts)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64*mib), "memory taken in all")
}

func BenchmarkService_Check(b *testing.B) {
	content := pairs("a", 50_000)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		w := newWorld(b, nil)
		w.check("a.jsonl", content)
	}
}
