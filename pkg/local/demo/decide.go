package demo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/rollout"
)

// Ballot is a decision that a person takes, by typing it here or anywhere else.
type Ballot struct {
	Status func(context.Context) (string, error) // of the approval
	Decide func(ctx context.Context, yes bool) error
	Typed  io.Reader // nil = nobody can type here
	Say    func(format string, args ...any)
	Every  time.Duration // how often the status is looked at
}

// Await waits for the decision. It is an error when the answer is no.
func (b Ballot) Await(ctx context.Context) error {
	var typed <-chan string
	if b.Typed != nil {
		typed = lines(ctx, b.Typed)
	}
	for {
		switch status, err := b.Status(ctx); {
		case err != nil:
			return err
		case status == "Approved":
			return nil
		case status != "Pending":
			return fmt.Errorf("the release was not approved: it is %s", strings.ToLower(status))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, more := <-typed:
			if !more {
				typed = nil
			}
			b.obey(ctx, line, more)
		case <-time.After(b.Every):
		}
	}
}

// obey does what was typed. When another has decided meanwhile, the next look at the status tells.
func (b Ballot) obey(ctx context.Context, line string, more bool) {
	line = strings.ToLower(strings.TrimSpace(line))
	switch {
	case !more:
		b.Say("nothing can be typed here any more; the browser and other terminals still decide")
	case line == "y" || line == "yes" || line == "n" || line == "no":
		if err := b.Decide(ctx, line[0] == 'y'); err != nil && ctx.Err() == nil {
			b.Say("%s", err)
		}
	default:
		b.Say("%q is neither y nor n", line)
	}
}

// lines gives what is typed, line by line, until it ends.
func lines(ctx context.Context, in io.Reader) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case out <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// approve lets a person decide, or with DEMO_YES lets ben.
func (d *demo) approve(ctx context.Context) error {
	rel, err := d.releaseOf(ctx, d.learned)
	if err != nil {
		return err
	}
	if d.Yes {
		return d.decide(ctx, "ben", rel.Approval, "gains what it should, keeps what it knew")
	}
	d.say("decide in the browser: %s/approvals/%s (as ben, password %s)\nor in another terminal:\n"+
		"  PERENNIAL_PASSWORD=%s bin/perennial login --url %s -u ben\n  bin/perennial approve %s --reason \"…\"",
		d.url, rel.Approval, d.password, d.password, d.url, rel.Approval)
	if d.In != nil {
		d.say("or here: type y to approve or n to refuse, as ben, and press Enter")
	}
	return d.ballot(rel.Approval).Await(ctx)
}

func (d *demo) ballot(approval string) Ballot {
	return Ballot{Typed: d.In, Say: d.say, Every: time.Second,
		Status: func(ctx context.Context) (string, error) {
			var a rollout.Approval
			err := d.users["ana"].Get(ctx, "/v1/approvals/"+approval, &a)
			return string(a.Status), err
		},
		Decide: func(ctx context.Context, yes bool) error {
			return d.decision(ctx, "ben", approval, "typed in the terminal of the demo", yes)
		}}
}
