package jsonata

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/dop251/goja"
)

const sampleEvery = 10 * time.Millisecond

// watch interrupts vm when a limit is passed. The returned function ends the watch and tells which
// limit, if any, was passed. Short evaluations cost two timers that never fire.
func watch(vm *goja.Runtime, l Limits) func() error {
	w := &watchdog{vm: vm, limits: l}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = time.AfterFunc(l.Time, w.expire)
	w.timer = time.AfterFunc(sampleEvery, w.sample)
	return w.stop
}

type watchdog struct {
	mu       sync.Mutex
	vm       *goja.Runtime
	limits   Limits
	baseline uint64
	timer    *time.Timer // the next look at the memory
	deadline *time.Timer
	done     bool
	over     error
}

func (w *watchdog) stop() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	w.timer.Stop()
	w.deadline.Stop()
	return w.over
}

func (w *watchdog) sample() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done || w.over != nil {
		return
	}
	if w.over = w.check(); w.over != nil {
		w.vm.Interrupt(w.over)
		return
	}
	w.timer.Reset(sampleEvery)
}

func (w *watchdog) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done || w.over != nil {
		return
	}
	w.over = &Error{Kind: Limit, Message: fmt.Sprintf("the evaluation took longer than %v", w.limits.Time)}
	w.vm.Interrupt(w.over)
}

func (w *watchdog) check() error {
	heap := heapBytes()
	if w.baseline == 0 || heap < w.baseline {
		w.baseline = heap
	}
	if !w.exceeded(heap) {
		return nil
	}
	return &Error{Kind: Memory, Message: fmt.Sprintf("the evaluation needed more than %d MiB of memory", w.limits.Memory>>20)}
}

// exceeded counts what lives, not what awaits collection, unless growth is so fast that there is no
// time for a collection.
func (w *watchdog) exceeded(heap uint64) bool {
	if grown := heap - w.baseline; grown <= w.limits.Memory || grown > 2*w.limits.Memory {
		return grown > w.limits.Memory
	}
	runtime.GC()
	now := heapBytes()
	return now > w.baseline && now-w.baseline > w.limits.Memory
}

func heapBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// asLimit turns goja's own stack limit into a Limit error.
func asLimit(err error) error {
	var overflow *goja.StackOverflowError
	if errors.As(err, &overflow) {
		return &Error{Kind: Limit, Message: "the evaluation nested too deeply"}
	}
	return fmt.Errorf("jsonata: %w", err)
}

// Backtracking expressions run in native code, where an interrupt cannot reach them; their engine has
// a time limit of its own. It is longer than the default Limits.Time, so that the watch has already
// noted the excess when the match gives up and is taken for "no match".
func init() { regexp2.DefaultMatchTimeout = 4500 * time.Millisecond }
