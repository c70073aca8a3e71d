package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

func openTemp(t testing.TB) *sqlite.DB {
	db, err := sqlite.OpenTemp()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestTable_Conforms(t *testing.T) {
	porttest.Table(t, func(t *testing.T, clock ids.Clock) table.Table { return openTemp(t).Table(clock) })
}

func TestTable_CarriesTheAuditLog(t *testing.T) {
	porttest.Audit(t, func(t *testing.T, clock ids.Clock) table.Table { return openTemp(t).Table(clock) })
}
