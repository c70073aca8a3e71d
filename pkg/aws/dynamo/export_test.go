package dynamo

import (
	"context"
	"time"

	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// NewWithWait is New with another way to pause between tries.
func NewWithWait(api API, clock ids.Clock, wait func(context.Context, time.Duration) error) table.Table {
	return table.Limit(&records{api: api, name: "records", clock: clock, wait: wait})
}
