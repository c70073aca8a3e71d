package events_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/aws/events"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// fake is a bus.
type fake struct {
	entries []types.PutEventsRequestEntry
	failed  bool
}

func (f *fake) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	if f.failed {
		return &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: []types.PutEventsResultEntry{{ErrorCode: aws.String("ThrottlingException"), ErrorMessage: aws.String("slow down")}}}, nil
	}
	f.entries = append(f.entries, in.Entries...)
	return &eventbridge.PutEventsOutput{}, nil
}

func TestBus_Publish(t *testing.T) {
	event := audit.Event{Seq: 7, Type: "RunQueued", Time: time.Unix(5, 0).UTC(), Subject: audit.Subject{Type: "run", ID: "run_1"}, Data: json.RawMessage(`{"a":1}`)}
	t.Run("an event keeps its type and sequence", func(t *testing.T) {
		f := &fake{}
		require.NoError(t, events.New(f, "perennial").Publish(t.Context(), event))
		require.Equal(t, "RunQueued", *f.entries[0].DetailType)
		require.Equal(t, events.Source, *f.entries[0].Source)
		require.Contains(t, *f.entries[0].Detail, `"seq":7`)
	})
	t.Run("data that is too large is left out", func(t *testing.T) {
		f := &fake{}
		large := event
		large.Data = json.RawMessage(`"` + strings.Repeat("x", 256<<10) + `"`)
		require.NoError(t, events.New(f, "perennial").Publish(t.Context(), large))
		require.Less(t, len(*f.entries[0].Detail), 1000)
	})
	t.Run("an entry that the bus refused is tried again by the caller", func(t *testing.T) {
		err := events.New(&fake{failed: true}, "perennial").Publish(t.Context(), event)
		require.Equal(t, errs.Unavailable, errs.CodeOf(err))
		require.ErrorContains(t, err, "slow down")
	})
}
