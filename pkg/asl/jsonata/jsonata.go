// Package jsonata evaluates JSONata as Step Functions does: the reference implementation, jsonata
// 2.0.6, runs inside goja behind time and memory limits, with the functions that Step Functions adds
// ($partition, $range, $hash, $random, $uuid, $parse) and without $eval.
package jsonata

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
)

// Version is the release of jsonata that is embedded.
const Version = "2.0.6"

// SHA256 is the checksum of the embedded bundle, jsonata.min.js of the npm package.
const SHA256 = "3616231ac3b165ea2b3e0840c94bbc0bf86b4c73202b644576693fd74dfbd762"

//go:embed jsonata.min.js
var bundle string

//go:embed glue.js
var glue string

//go:embed facts.js
var facts string

// programs are parsed once for all runtimes.
var programs = sync.OnceValue(func() []*goja.Program {
	return []*goja.Program{
		goja.MustCompile("jsonata.min.js", bundle, false),
		goja.MustCompile("glue.js", glue, false),
		goja.MustCompile("facts.js", facts, false),
	}
})

// Limits bound one evaluation. The zero value means the defaults.
type Limits struct {
	Time   time.Duration // default 4 s
	Memory uint64        // bytes of live heap growth, default 256 MiB
}

// Pool evaluates expressions on a few reused runtimes; it is safe for concurrent use.
type Pool struct {
	limits Limits
	idle   chan *machine
	slots  chan struct{}
	plans  plans
}

// NewPool makes a pool of as many runtimes as there are processors; they start when first needed.
func NewPool(l Limits) *Pool {
	if l.Time == 0 {
		l.Time = 4 * time.Second
	}
	if l.Memory == 0 {
		l.Memory = 256 << 20
	}
	n := runtime.GOMAXPROCS(0)
	p := &Pool{limits: l, idle: make(chan *machine, n), slots: make(chan struct{}, n)}
	p.plans.parse = p.tree
	return p
}

// machine is one goja runtime with the bundle loaded.
type machine struct {
	vm       *goja.Runtime
	render   goja.Callable
	facts    goja.Callable
	tree     goja.Callable
	evaluate goja.Callable
	now      time.Time
	late     atomic.Bool // the time of a Question is over
}

func newMachine() (*machine, error) {
	m := &machine{vm: goja.New()}
	m.vm.SetMaxCallStackSize(12000)
	m.vm.SetTimeSource(func() time.Time { return m.now })
	if err := bindHost(m); err != nil {
		return nil, err
	}
	for _, p := range programs() {
		if _, err := m.vm.RunProgram(p); err != nil {
			return nil, fmt.Errorf("load jsonata: %w", err)
		}
	}
	m.render, _ = goja.AssertFunction(m.vm.Get("__render"))
	m.facts, _ = goja.AssertFunction(m.vm.Get("__facts"))
	m.tree, _ = goja.AssertFunction(m.vm.Get("__tree"))
	m.evaluate, _ = goja.AssertFunction(m.vm.Get("__evaluate"))
	return m, nil
}

// with runs f on a runtime under the limits. A runtime that was interrupted is thrown away.
func (p *Pool) with(f func(*machine) (goja.Value, error)) (string, error) {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	m, err := p.take()
	if err != nil {
		return "", err
	}
	stop := watch(m.vm, p.limits)
	v, err := guarded(m, f)
	over := stop()
	if over != nil {
		return "", over
	}
	if err != nil {
		return "", asLimit(err)
	}
	p.idle <- m
	return settled(v)
}

// guarded keeps a fault of the engine from ending the process.
func guarded(m *machine, f func(*machine) (goja.Value, error)) (v goja.Value, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the JavaScript engine failed: %v", fault)
		}
	}()
	return f(m)
}

func (p *Pool) take() (*machine, error) {
	select {
	case m := <-p.idle:
		return m, nil
	default:
		return newMachine()
	}
}

// settled reads a value or a promise; with no event loop a promise is settled when the call returns.
func settled(v goja.Value) (string, error) {
	promise, ok := v.Export().(*goja.Promise)
	if !ok {
		return v.String(), nil
	}
	if promise.State() != goja.PromiseStateFulfilled {
		return "", fmt.Errorf("jsonata: promise not fulfilled: %v", promise.Result())
	}
	return promise.Result().String(), nil
}

// Kind says how an expression failed.
type Kind string

// The ways an expression fails.
const (
	Undefined   Kind = "undefined"   // it returned nothing
	Unsupported Kind = "unsupported" // it returned a function
	Thrown      Kind = "thrown"      // it threw; Code and Message are jsonata's
	Limit       Kind = "limit"       // it was stopped
	Memory      Kind = "memory"      // it was stopped because it needed too much memory
)

// Error is the failure of one expression within a template.
type Error struct {
	Kind       Kind   `json:"kind"`
	Expression string `json:"source"`
	Location   string `json:"location"`
	Code       string `json:"code"`
	Message    string `json:"message"`
}

// Error describes the failure.
func (e *Error) Error() string {
	return fmt.Sprintf("jsonata expression '%s' at '%s': %s %s %s", e.Expression, e.Location, e.Kind, e.Code, e.Message)
}

// Render fills a JSON template: each string that is wholly "{% … %}" is replaced by the value of the
// expression. Location names the template in errors ("Arguments"); bindings is a JSON object of the
// variables in scope, "states" among them; now is what $now and $millis tell.
func (p *Pool) Render(template json.RawMessage, location string, bindings []byte, now time.Time) (json.RawMessage, error) {
	if plain := p.plans.of(template); plain != nil {
		if value, ok := plain.fill(bindings); ok {
			return value, nil
		}
	}
	text, err := p.with(func(m *machine) (goja.Value, error) {
		m.now = now
		return m.render(goja.Undefined(), m.vm.ToValue(string(template)), m.vm.ToValue(location), m.vm.ToValue(string(bindings)))
	})
	if err != nil {
		return nil, place(err, template, location)
	}
	var answer struct {
		Value json.RawMessage `json:"value"`
		Error *Error          `json:"error"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, fmt.Errorf("jsonata: read answer: %w", err)
	}
	if answer.Error != nil {
		return nil, answer.Error
	}
	return answer.Value, nil
}

func place(err error, template json.RawMessage, location string) error {
	var e *Error
	if errors.As(err, &e) {
		e.Location = location
		_ = json.Unmarshal(template, &e.Expression)
		e.Expression = Source(e.Expression)
	}
	return err
}
