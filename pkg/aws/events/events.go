// Package events puts the platform's events on an EventBridge bus, for what a company builds around it.
package events

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// API is what the adapter calls of EventBridge.
type API interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Source is the source of the platform's events.
const Source = "ai.perennial"

// mostDetail bounds an entry: EventBridge takes 256 KiB in all.
const mostDetail = 240 << 10

// Bus publishes to one bus.
type Bus struct {
	api  API
	name string
}

// New gives a bus by name; "default" is the account's own.
func New(api API, name string) Bus { return Bus{api: api, name: name} }

// Publish puts one event on the bus; its type is the detail-type. It is an audit.Handler: delivery is at
// least once, and receivers tell repetitions by detail.seq. Data that is too large is left out.
func (b Bus) Publish(ctx context.Context, e audit.Event) error {
	detail, err := json.Marshal(e)
	if err == nil && len(detail) > mostDetail {
		e.Data = nil
		detail, err = json.Marshal(e)
	}
	if err != nil {
		return fmt.Errorf("encode event %d: %w", e.Seq, err)
	}
	out, err := b.api.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: &b.name, Source: aws.String(Source), DetailType: &e.Type, Detail: aws.String(string(detail)), Time: aws.Time(e.Time.Truncate(time.Second))}}})
	if err != nil {
		return errs.New(errs.Unavailable, "publish event %d: %w", e.Seq, err)
	}
	if out.FailedEntryCount > 0 {
		return errs.New(errs.Unavailable, "publish event %d: %s: %s", e.Seq, aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
	}
	return nil
}

var _ audit.Handler = Bus{}.Publish
