package sqlite_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

func TestOpen_KeepsWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder?#", "perennial.db")
	key := table.Key{PK: "A", SK: "1"}
	for range 2 {
		db, err := sqlite.Open(path)
		require.NoError(t, err)
		op := table.Op{Kind: table.Add, Item: table.Item{Key: key, Num: map[string]int64{"n": 1}}}
		require.NoError(t, db.Table(ids.WallClock).Write(t.Context(), "once", op), "tokens survive a restart too")
		require.NoError(t, db.Close())
	}
	db, err := sqlite.Open(path)
	require.NoError(t, err)
	it, err := db.Table(ids.WallClock).Get(t.Context(), key, table.Consistent)
	require.NoError(t, err)
	require.Equal(t, int64(1), it.Num["n"])
	require.NoError(t, db.Close())
}

func TestOpen_SaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "text.db"), []byte(strings.Repeat("no database ", 1000)), 0o600))
	for _, path := range []string{filepath.Join(dir, "text.db"), filepath.Join(dir, "text.db", "below.db"), dir} {
		_, err := sqlite.Open(path)
		require.Equal(t, errs.Unavailable, errs.CodeOf(err), "%s: %v", path, err)
		require.ErrorContains(t, err, path)
	}
}

func TestDB_SharesItsFile(t *testing.T) {
	db := openTemp(t)
	_, err := db.SQL().Exec(`CREATE TABLE history (n INTEGER); INSERT INTO history VALUES (7)`)
	require.NoError(t, err)
	var n int
	require.NoError(t, db.Reader().QueryRow(`SELECT n FROM history`).Scan(&n))
	require.Equal(t, 7, n)
}

func TestDB_Sweep_FreesWhatExpired(t *testing.T) {
	db, clock := openTemp(t), porttest.NewClock()
	records := db.Table(clock.Now)
	for i := range 3 {
		it := table.Item{Key: table.Key{PK: "A", SK: fmt.Sprint(i)}, TTL: clock.Now().Add(time.Duration(i) * time.Minute)}
		require.NoError(t, records.Write(t.Context(), fmt.Sprint("token", i), table.Op{Kind: table.Put, Item: it}))
	}
	clock.Advance(time.Minute)
	n, err := db.Sweep(t.Context(), clock.Now())
	require.NoError(t, err)
	require.Equal(t, int64(2), n)
	page, err := records.Query(t.Context(), table.Query{PK: "A"})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
}

func benchOpen(b *testing.B) table.Table {
	db, err := sqlite.Open(filepath.Join(b.TempDir(), "bench.db"))
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	return db.Table(ids.WallClock)
}

var kilobyte = json.RawMessage(`"` + strings.Repeat("x", 1022) + `"`)

func BenchmarkTable_WriteFourItems(b *testing.B) {
	records := benchOpen(b)
	for n := 0; b.Loop(); n++ {
		ops := make([]table.Op, 4)
		for i := range ops {
			ops[i] = table.Op{Kind: table.Put, Item: table.Item{Key: table.Key{PK: "A", SK: fmt.Sprintf("%d-%d", n, i)}, Body: kilobyte}}
		}
		require.NoError(b, records.Write(b.Context(), "", ops...))
	}
}

func BenchmarkTable_Get(b *testing.B) {
	records, key := benchOpen(b), table.Key{PK: "A", SK: "1"}
	require.NoError(b, records.Write(b.Context(), "", table.Op{Kind: table.Put, Item: table.Item{Key: key, Body: kilobyte}}))
	for b.Loop() {
		_, err := records.Get(b.Context(), key, table.Consistent)
		require.NoError(b, err)
	}
}

func BenchmarkTable_QueryHundred(b *testing.B) {
	records := benchOpen(b)
	for i := range 1000 {
		it := table.Item{Key: table.Key{PK: "A", SK: fmt.Sprintf("%06d", i)}, Body: kilobyte}
		require.NoError(b, records.Write(b.Context(), "", table.Op{Kind: table.Put, Item: it}))
	}
	for b.Loop() {
		page, err := records.Query(b.Context(), table.Query{PK: "A", From: "000500", Limit: 100})
		require.NoError(b, err)
		require.Len(b, page.Items, 100)
	}
}

func BenchmarkLog_Commit(b *testing.B) {
	log := audit.NewLog(benchOpen(b), ids.WallClock, ids.ULIDs(ids.WallClock))
	for n := int64(1); b.Loop(); n++ {
		_, err := log.Commit(b.Context(), work(n))
		require.NoError(b, err)
	}
}

func BenchmarkLog_Verify(b *testing.B) {
	log := audit.NewLog(benchOpen(b), ids.WallClock, ids.ULIDs(ids.WallClock))
	for n := range int64(1000) {
		_, err := log.Commit(b.Context(), work(n))
		require.NoError(b, err)
	}
	for b.Loop() {
		report, err := log.Verify(b.Context(), nil)
		require.NoError(b, err)
		require.True(b, report.OK)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/entry")
}
