package conformance_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl/conformance"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

var pool = jsonata.NewPool(jsonata.Limits{})

func recorded(t *testing.T) conformance.File {
	t.Helper()
	path := os.Getenv("ASL_RECORDED")
	if path == "" {
		path = "../testdata/stepfunctions-jsonata.json"
	}
	f, err := conformance.Load(path)
	require.NoError(t, err)
	return f
}

func TestReplay_EqualsTheRecordedExecutions(t *testing.T) {
	f := recorded(t)
	require.GreaterOrEqual(t, len(f.Cases), 32)
	for _, c := range f.Cases {
		t.Run(c.Name(), func(t *testing.T) {
			ours, err := c.Replay(context.Background(), pool)
			require.NoError(t, err)
			r := conformance.Compare(c, ours)
			require.Empty(t, r.Outcome)
			require.Empty(t, r.History)
		})
	}
}
