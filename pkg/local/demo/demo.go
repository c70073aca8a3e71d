// Package demo plays the platform's whole loop on this machine, as a new user would: through the API,
// with a real model that really learns. It tells what it does and fails when anything did not happen.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local"
	"github.com/perennial-llm/perennial/pkg/local/cli"
)

// Options are what the user chose.
type Options struct {
	local.Options
	Model   string    // "smol" or "tiny"
	Models  string    // folder where base models are kept between demos
	Port    int       // 0 = any
	Yes     bool      // approve by itself, as a second user
	Compare bool      // train the naive preset too
	Until   string    // name of the last act to play; empty = all
	Stay    bool      // go on serving after the last act, until interrupted
	Secret  string    // the users' password; empty = made up
	In      io.Reader // terminal in which a person may decide; nil = none
	Out     io.Writer
}

// demo is one performance.
type demo struct {
	Options
	teller
	platform *local.Platform
	url      string
	password string // of all users
	report   Report
	users    map[string]*cli.Client
	script   script
	base     int // version numbers
	learned  int
	arrived  time.Time // of the file to learn
	traffic  traffic
}

const model = "assistant" // the model's id on the platform

// Run plays the demo and writes demo-report.json into the data folder, whether it succeeds or not.
func Run(ctx context.Context, o Options) (err error) {
	d := &demo{Options: o, teller: teller{out: o.Out, began: time.Now()}, users: map[string]*cli.Client{}}
	d.report = newReport(o.Model)
	if err := d.knowsAct(o.Until); err != nil {
		return err
	}
	l, err := local.Listen(o.Port)
	if err != nil {
		return err
	}
	stop, err := d.start(ctx, l)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, stop()) }()
	err = d.perform(ctx)
	err = errors.Join(err, d.save(err))
	if o.Stay && err == nil {
		d.say("serving at %s until interrupted", d.url)
		<-ctx.Done()
	}
	return err
}

// save writes the report of a performance that ended with err.
func (d *demo) save(err error) error {
	d.report.Requests, d.report.RequestsFailed = d.traffic.sent.Load(), d.traffic.failed.Load()
	d.report.finish(err)
	return d.report.write(filepath.Join(d.Data, "demo-report.json"))
}

// knowsAct refuses to stop after a part that the story has not.
func (d *demo) knowsAct(name string) error {
	names := []string{}
	for _, a := range d.acts() {
		names = append(names, a.name)
	}
	if name == "" || slices.Contains(names, name) {
		return nil
	}
	return errs.New(errs.Invalid, "the story has no part %q", name).At("--until").Mend("use one of %s", strings.Join(names, ", "))
}

// perform plays the acts up to the last one wanted.
func (d *demo) perform(ctx context.Context) error {
	for _, act := range d.acts() {
		if err := d.play(ctx, act); err != nil {
			return fmt.Errorf("%s: %w", act.name, err)
		}
		if act.name == d.Until {
			break
		}
	}
	if d.Until == "" {
		d.summary()
		d.report.Requests = d.traffic.sent.Load()
		if missing := d.report.Missing(); len(missing) > 0 {
			return expected(false, "the report lacks %s", strings.Join(missing, ", "))
		}
	}
	return nil
}

// act is one part of the story.
type act struct {
	name  string // key of its seconds in the report
	title string
	play  func(context.Context) error
}

func (d *demo) acts() []act {
	acts := []act{
		{"base", "The base model becomes champion", d.registerBase},
		{"questionBefore", "A question about the company, before", d.askBefore},
		{"admission", "A data file arrives, with deliberate faults", d.arrival},
		{"training", "The model learns it", d.train},
		{"gate", "Old against new", d.judged},
	}
	if d.Compare {
		acts = append(acts, act{"naive", "The same without protection, for comparison", d.naive})
	}
	return append(acts,
		act{"approval", "A person decides", d.approve},
		act{"release", "Development, staging, production by canary", d.release},
		act{"questionAfter", "The question again", d.askAfter},
		act{"poison", "A poisoned data file", d.poison},
		act{"breakGlass", "Forced through by two people: the canary rolls it back", d.breakGlass},
		act{"drill", "A one-call rollback, and its undoing", d.drill},
		act{"lineage", "Where the live version comes from", d.lineage},
	)
}

func (d *demo) play(ctx context.Context, a act) error {
	d.title(a.title)
	began := time.Now()
	err := a.play(ctx)
	d.report.Seconds[a.name] = seconds(time.Since(began))
	return err
}

func seconds(t time.Duration) float64 { return float64(t.Milliseconds()) / 1000 }

// marker says that a folder is a demo's own and may be emptied.
const marker = ".perennial-demo"

// freshFolder empties the folder of an earlier demo that has ended; it touches nothing else.
func freshFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
			return errs.New(errs.Invalid, "%s is not empty and no demo's folder", dir).Mend("choose another folder with --data")
		}
		if err := local.Idle(dir); err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker), nil, 0o600)
}

// start brings up the platform on a fresh folder and gives the function that stops it.
func (d *demo) start(ctx context.Context, l net.Listener) (stop func() error, err error) {
	if err := freshFolder(d.Data); err != nil {
		return nil, err
	}
	if d.platform, err = local.Open(ctx, d.Options.Options); err != nil {
		return nil, err
	}
	d.url = fmt.Sprintf("http://%s", l.Addr())
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- d.platform.Serve(ctx, l) }()
	return func() error {
		cancel()
		return errors.Join(<-served, d.platform.Close(context.WithoutCancel(ctx)))
	}, nil
}
