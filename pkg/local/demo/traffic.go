package demo

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perennial-llm/perennial/pkg/local/cli"
)

// traffic asks production the canned questions, as customers would.
type traffic struct {
	key          string
	sent, failed atomic.Int64
}

// customers is how many ask at the same time, pause what each waits between two requests.
const (
	customers = 2
	pause     = 150 * time.Millisecond
)

func (d *demo) makeKey(ctx context.Context) error {
	var key struct {
		Token string `json:"token"`
	}
	in := map[string]any{"name": "customers", "scopes": []string{"gateway:invoke"}}
	err := d.users["admin"].Post(ctx, "/v1/keys", in, &key)
	d.traffic.key = key.Token
	return err
}

// underTraffic does something while customers ask production.
func (d *demo) underTraffic(ctx context.Context, do func(context.Context) error) error {
	asking, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer func() { cancel(); all.Wait() }()
	c := &cli.Client{URL: d.url, Key: d.traffic.key}
	for first := range customers {
		all.Go(func() { d.traffic.ask(asking, c, d.script, first) })
	}
	return do(ctx)
}

func (t *traffic) ask(ctx context.Context, c *cli.Client, s script, first int) {
	for i := first; ctx.Err() == nil; i++ {
		_, err := c.Ask(ctx, "production", model, s.Canned[i%len(s.Canned)].Prompt)
		if ctx.Err() != nil {
			return
		}
		t.sent.Add(1)
		if err != nil {
			t.failed.Add(1)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
