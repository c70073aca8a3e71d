package host

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/tasks"
)

// Handlers are the platform's tasks by function name.
func (p *Platform) Handlers() map[string]lambda.Handler {
	all := map[string]lambda.Handler{}
	maps.Copy(all, tasks.Dataset{Service: p.Dataset}.Handlers())
	maps.Copy(all, tasks.Training{Dataset: p.Dataset, Training: p.Training, Rollout: p.Rollout, Trail: p.trail()}.Handlers())
	maps.Copy(all, tasks.Rollout{Service: p.Rollout}.Handlers())
	return all
}

// ServeTask serves one task; it does not return.
func ServeTask(name string) { serve(func(p *Platform) (lambda.Handler, error) { return p.task(name) }) }

// ServeBatch serves one task for the messages of a queue; it does not return.
func ServeBatch(name string) {
	serve(func(p *Platform) (lambda.Handler, error) {
		h, err := p.task(name)
		return Batch(h), err
	})
}

func (p *Platform) task(name string) (lambda.Handler, error) {
	h, ok := p.Handlers()[name]
	if !ok {
		return nil, errs.New(errs.Internal, "no task %q", name)
	}
	return h, nil
}

// serve opens the platform once per container; a fault of the environment ends it with its words.
func serve(handler func(*Platform) (lambda.Handler, error)) {
	p, err := Open(context.Background())
	if err == nil {
		var h lambda.Handler
		if h, err = handler(p); err == nil {
			lambda.Start(h)
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Batch makes a handler of single events one of a queue's batches: each message's body is an event, and
// only the messages that failed come back.
func Batch(h lambda.Handler) lambda.Handler {
	return lambda.NewHandler(func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, m := range batch.Records {
			if _, err := h.Invoke(ctx, json.RawMessage(m.Body)); err != nil {
				fmt.Fprintf(os.Stderr, "message %s: %v\n", m.MessageId, err)
				out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return out, nil
	})
}
