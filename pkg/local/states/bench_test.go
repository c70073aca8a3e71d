package states_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/local/states"
)

// tenStates is the graph of the benchmarks: eight Pass states, a Choice and a Succeed.
func tenStates() json.RawMessage {
	var b strings.Builder
	for i := range 8 {
		next := fmt.Sprint("P", i+1)
		if i == 7 {
			next = "C"
		}
		fmt.Fprintf(&b, `"P%d":{"Type":"Pass","Assign":{"v%d":"{%% $states.input.n %%}"},"Next":"%s"},`, i, i, next)
	}
	return json.RawMessage(`{"QueryLanguage":"JSONata","StartAt":"P0","States":{` + b.String() +
		`"C":{"Type":"Choice","Choices":[{"Condition":"{% $v7 > 100 %}","Next":"S"}],"Default":"S"},"S":{"Type":"Succeed"}}}`)
}

// bench opens a service whose executions tell their end.
func bench(b *testing.B) (*states.Service, *sync.WaitGroup) {
	b.Helper()
	db, err := states.OpenDB(filepath.Join(b.TempDir(), "states.db"))
	require.NoError(b, err)
	var running sync.WaitGroup
	s, err := states.New(states.Config{
		DB: db, Machines: map[string]json.RawMessage{"ten": tenStates()},
		OnChange: func(c states.Change) {
			if c.Status != asl.Running {
				running.Done()
			}
		},
	})
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, s.Close())
		require.NoError(b, db.Close())
	})
	return s, &running
}

// BenchmarkService_Durable runs ten states per iteration, each transition synced to the disk.
func BenchmarkService_Durable(b *testing.B) {
	s, running := bench(b)
	for b.Loop() {
		running.Add(1)
		if _, err := s.StartExecution(context.Background(), "ten", "", json.RawMessage(`{"n":1}`)); err != nil {
			b.Fatal(err)
		}
		running.Wait()
	}
	b.ReportMetric(float64(b.N)*11/b.Elapsed().Seconds(), "transitions/s")
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N)/11, "ms/transition")
}

// BenchmarkService_Thousand runs 1,000 executions of ten states at once.
func BenchmarkService_Thousand(b *testing.B) {
	s, running := bench(b)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		running.Add(1000)
		for range 1000 {
			if _, err := s.StartExecution(context.Background(), "ten", "", json.RawMessage(`{"n":1}`)); err != nil {
				b.Fatal(err)
			}
		}
		running.Wait()
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(b.N)*11000/b.Elapsed().Seconds(), "transitions/s")
	b.ReportMetric(float64(after.Sys)/(1<<20), "MiB-total")
}
