package dataset_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
)

// TestService_ManyAtOnce_LoseAndRepeatNothing tells of each of several files twice and checks and publishes
// them all at the same time.
func TestService_ManyAtOnce_LoseAndRepeatNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.deps.Workflow = nil // the fake is not made for it
	w.open()
	const files = 6
	var wg sync.WaitGroup
	errs := make(chan error, 2*files)
	for i := range files {
		content := pairs(fmt.Sprint("own ", i), 5) + pairs("shared", 3)
		key := w.put(fmt.Sprintf("f%d.jsonl", i), content)
		for range 2 {
			wg.Go(func() {
				ing, err := w.Arrive(t.Context(), by, "support", key, int64(len(content)), "")
				if err == nil {
					_, err = w.Check(t.Context(), ing.ID)
				}
				if err == nil {
					_, err = w.Publish(t.Context(), ing.ID)
				}
				errs <- err
			})
		}
	}
	wg.Wait()
	for range 2 * files {
		require.NoError(t, <-errs)
	}
	latest, err := w.Latest(t.Context(), "support")
	require.NoError(t, err)
	require.Equal(t, files*5+3, latest.Rows)
	require.Equal(t, files, latest.Number)
	ids := map[string]bool{}
	for _, row := range w.lines(latest) {
		ids[row["id"].(string)] = true
	}
	require.Len(t, ids, latest.Rows)
	all, _, err := w.Ingestions(t.Context(), dataset.Filter{})
	require.NoError(t, err)
	require.Len(t, all, files)
}
