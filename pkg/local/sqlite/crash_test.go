package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/table"
)

// crashFile names the variable that makes this test binary the process to be killed.
const crashFile = "PERENNIAL_TEST_CRASH_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		if err := writeForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func openLog(path string) (*sqlite.DB, table.Table, *audit.Log, error) {
	db, err := sqlite.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	t := db.Table(ids.WallClock)
	return db, t, audit.NewLog(t, ids.WallClock, ids.ULIDs(ids.WallClock)), nil
}

var counter = table.Key{PK: "RUN", SK: "COUNT"}

func work(n int64) audit.Change {
	state := table.Item{Key: table.Key{PK: "RUN", SK: fmt.Sprintf("STATE#%06d", n)}, Body: audit.JSON(map[string]int64{"n": n})}
	return audit.Change{
		Actor: audit.System("test"), Type: "Worked", Subject: audit.Subject{Type: "run", ID: "r"}, Key: fmt.Sprint("work ", n),
		Ops: []table.Op{
			{Kind: table.Put, Item: state, If: table.Cond{Kind: table.NotExists}},
			{Kind: table.Add, Item: table.Item{Key: counter, Num: map[string]int64{"n": 1}}},
		},
	}
}

// writeForever commits change after change, from the first again, and says each number when its
// commit returned.
func writeForever(path string) error {
	_, _, log, err := openLog(path)
	if err != nil {
		return err
	}
	for n := int64(1); ; n++ {
		event, err := log.Commit(context.Background(), work(n))
		if err != nil {
			return err
		}
		fmt.Println(event.Seq)
	}
}

// TestTable_SurvivesSIGKILL kills a writing process again and again: what was acknowledged is there,
// nothing is there by half, and the audit chain verifies.
func TestTable_SurvivesSIGKILL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "perennial.db")
	for round := range 6 {
		acknowledged := killAfter(t, path, 20+37*round)
		db, records, log, err := openLog(path)
		require.NoError(t, err)
		report, err := log.Verify(t.Context(), nil)
		require.NoError(t, err)
		require.True(t, report.OK, "%+v", report.Problems)
		require.GreaterOrEqual(t, report.Checked, acknowledged)
		it, err := records.Get(t.Context(), counter, table.Consistent)
		require.NoError(t, err)
		require.Equal(t, report.Checked, it.Num["n"], "each change took effect once")
		last, err := records.Query(t.Context(), table.Query{PK: "RUN", Prefix: "STATE#", Descending: true, Limit: 1})
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("STATE#%06d", report.Checked), last.Items[0].SK)
		var sound string
		require.NoError(t, db.SQL().QueryRow("PRAGMA integrity_check").Scan(&sound))
		require.Equal(t, "ok", sound)
		require.NoError(t, db.Close())
	}
}

// killAfter runs the writer until it acknowledged so many changes and kills it then.
func killAfter(t *testing.T, path string, changes int) (acknowledged int64) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashFile+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for range changes {
		require.True(t, lines.Scan(), "the writer ended by itself")
		acknowledged, err = strconv.ParseInt(lines.Text(), 10, 64)
		require.NoError(t, err)
	}
	require.NoError(t, cmd.Process.Kill())
	for lines.Scan() { // said before the kill arrived
		if n, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
			acknowledged = max(acknowledged, n)
		}
	}
	require.Error(t, cmd.Wait())
	return acknowledged
}
