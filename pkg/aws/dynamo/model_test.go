package dynamo_test

import (
	"flag"
	"os"
	"testing"

	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

// TestMain keeps the random runs few unless told otherwise: each call goes over HTTP.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = flag.Set("rapid.checks", "20")
	}
	os.Exit(m.Run())
}

func TestTable_DoesAsTheModel(t *testing.T) {
	porttest.TableModel(t, func(t *testing.T, clock ids.Clock) table.Table { return open(t, clock) }, 0)
}
