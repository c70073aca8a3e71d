package sqlite_test

import (
	"testing"
	"time"

	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

func TestTable_DoesAsTheModel(t *testing.T) {
	porttest.TableModel(t, func(t *testing.T, clock ids.Clock) table.Table { return openTemp(t).Table(clock) }, 0)
}

func TestTable_WithIndexLag_DoesAsTheModel(t *testing.T) {
	const lag = 3 * time.Second
	porttest.TableModel(t, func(t *testing.T, clock ids.Clock) table.Table {
		return openTemp(t).Table(clock, sqlite.WithIndexLag(lag))
	}, lag)
}
