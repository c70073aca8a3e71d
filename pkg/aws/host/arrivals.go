package host

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/tasks"
)

// Batch makes a handler of single events one of a queue's batches: each message's body is an event, and
// only the messages that failed come back. One that fails from the queue of dead letters is put aside where
// people see it and can replay it.
func (p *Platform) Batch(h lambda.Handler) lambda.Handler {
	return lambda.NewHandler(func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, m := range batch.Records {
			_, err := h.Invoke(ctx, []byte(m.Body))
			err = words(err)
			if err != nil && p.Config.DeadLetters != "" && m.EventSourceARN == p.Config.DeadLetters {
				err = p.putAside(ctx, m, err)
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "message %s: %v\n", m.MessageId, err)
				out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return out, nil
	})
}

// words gives what a handler's error says.
func words(err error) error {
	var answer messages.InvokeResponse_Error
	if errors.As(err, &answer) {
		return errors.New(answer.Message)
	}
	return err
}

// putAside makes a message that nothing could be done with an event and a dead letter.
func (p *Platform) putAside(ctx context.Context, m events.SQSMessage, cause error) error {
	var in tasks.RegisterInput
	_ = json.Unmarshal([]byte(m.Body), &in) // what it is does not matter: people look at it
	name := m.MessageId
	if in.Detail != nil {
		name = cmp.Or(in.Detail.Object.Key, name)
	}
	e, err := p.Log.Commit(ctx, audit.Change{Actor: audit.System("arrival"), Type: "ArrivalGivenUp", Key: "given-up/" + m.MessageId,
		Subject: audit.Subject{Type: "object", ID: name}, Data: givenUp{Message: m.Body}})
	if err != nil {
		return fmt.Errorf("put aside: %w", err)
	}
	return p.arrivals().Bury(ctx, e, cause)
}

// givenUp is the data of an ArrivalGivenUp event.
type givenUp struct {
	Message string `json:"message"` // as it was in the queue
}

// arrivals keeps and replays what dataset-register could not do. It does not read the feed: the queue does
// the first tries.
func (p *Platform) arrivals() *audit.Consumer {
	return &audit.Consumer{Name: "arrivals", Feed: p.Log, Table: p.Table, Clock: ids.WallClock,
		Handle: func(ctx context.Context, e audit.Event) error {
			var g givenUp
			if err := json.Unmarshal(e.Data, &g); err != nil {
				return fmt.Errorf("decode the event: %w", err)
			}
			return p.register(ctx, g.Message)
		}}
}

// register tries an arrival. Its error has the words for people and not their code, which is about the
// arrival and not about the dead letter.
func (p *Platform) register(ctx context.Context, message string) error {
	var in tasks.RegisterInput
	if err := json.Unmarshal([]byte(message), &in); err != nil {
		return fmt.Errorf("the message is no event: %w", err)
	}
	if _, err := (tasks.Dataset{Service: p.Dataset}).Register(ctx, in); err != nil {
		return errors.New(err.Error())
	}
	return nil
}
