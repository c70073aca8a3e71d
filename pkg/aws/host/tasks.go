package host

import (
	"context"
	"fmt"
	"maps"
	"os"

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
		return p.Batch(h), err
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
