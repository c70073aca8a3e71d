package porttest_test

import (
	"testing"

	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

func TestMemory_Conforms(t *testing.T) {
	porttest.Table(t, func(_ *testing.T, clock ids.Clock) table.Table { return porttest.NewMemory(clock) })
}

func TestMemory_CarriesTheAuditLog(t *testing.T) {
	porttest.Audit(t, func(_ *testing.T, clock ids.Clock) table.Table { return porttest.NewMemory(clock) })
}
