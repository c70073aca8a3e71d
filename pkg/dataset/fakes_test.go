package dataset_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

// blobs is an object store in memory.
type blobs struct {
	mu   sync.Mutex
	data map[string][]byte
}

var _ object.Store = (*blobs)(nil)

func (b *blobs) Put(_ context.Context, key string, r io.Reader, opt object.PutOptions) (object.Info, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return object.Info{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, there := b.data[key]; there && opt.IfAbsent {
		return object.Info{}, errs.New(errs.Conflict, "object %s exists", key)
	}
	if info := describe(key, content); opt.SHA256 != "" && opt.SHA256 != info.SHA256 {
		return info, errs.New(errs.Invalid, "object %s has another digest", key)
	}
	b.data[key] = content
	return describe(key, content), nil
}

func describe(key string, content []byte) object.Info {
	sum := sha256.Sum256(content)
	return object.Info{Key: key, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

func (b *blobs) Get(_ context.Context, key string, offset int64) (io.ReadCloser, object.Info, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	content, ok := b.data[key]
	if !ok {
		return nil, object.Info{}, errs.New(errs.NotFound, "no object %s", key)
	}
	return io.NopCloser(bytes.NewReader(content[offset:])), describe(key, content), nil
}

func (b *blobs) List(_ context.Context, prefix, start string, limit int) ([]object.Info, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []object.Info
	for key, content := range b.data {
		if strings.HasPrefix(key, prefix) && key > start {
			out = append(out, describe(key, content))
		}
	}
	slices.SortFunc(out, func(a, b object.Info) int { return strings.Compare(a.Key, b.Key) })
	return out[:min(limit, len(out))], nil
}

func (b *blobs) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.data, key)
	return nil
}

// machines is a Workflow that remembers what it was told.
type machines struct {
	started map[string]int
	answers map[string]any
}

var _ dataset.Workflow = (*machines)(nil)

func (m *machines) Start(_ context.Context, machine, name string, _ any) (string, error) {
	m.started[name]++
	return "arn:" + machine + ":" + name, nil
}

func (m *machines) Answer(_ context.Context, token string, output any) error {
	if _, done := m.answers[token]; done {
		return errs.New(errs.NotFound, "nobody waits for %s", token)
	}
	m.answers[token] = output
	return nil
}

// banned is a benchmark of one item.
type banned string

func (b banned) Overlaps(text string) (string, bool) {
	return "golden/7", strings.Contains(text, string(b))
}

// world is a service with everything it stands on.
type world struct {
	t       testing.TB
	clock   *porttest.Clock
	table   table.Table
	objects object.Store
	flow    *machines
	log     *audit.Log
	deps    dataset.Deps
	*dataset.Service
}

var by = audit.Actor{ID: "usr_1", Name: "Dana"}

// newWorld makes a service with dataset "support". The change, which may be nil, adapts its dependencies.
func newWorld(t testing.TB, change func(*dataset.Deps)) *world {
	t.Helper()
	w := &world{t: t, clock: porttest.NewClock(), objects: &blobs{data: map[string][]byte{}},
		flow: &machines{started: map[string]int{}, answers: map[string]any{}}}
	w.table = porttest.NewMemory(w.clock.Now)
	w.deps = dataset.Deps{Table: w.table, Objects: w.objects, Clock: w.clock.Now, IDs: ids.Sequence(), Workflow: w.flow,
		Overlaps: func(context.Context, dataset.Dataset) (dataset.Overlaps, error) {
			return banned("capital of Atlantis"), nil
		}}
	if change != nil {
		change(&w.deps)
	}
	w.open()
	_, err := w.CreateDataset(t.Context(), by, dataset.Dataset{ID: "support", Licence: "internal"})
	require.NoError(t, err)
	return w
}

// open makes a new service over the same stores, as after a restart.
func (w *world) open() {
	w.log = audit.NewLog(w.deps.Table, w.clock.Now, ids.Sequence())
	w.deps.Log = w.log
	w.Service = dataset.New(w.deps)
}

// put stores an upload.
func (w *world) put(name, content string) string {
	w.t.Helper()
	key := dataset.IncomingKey("support", name)
	_, err := w.objects.Put(w.t.Context(), key, strings.NewReader(content), object.PutOptions{})
	require.NoError(w.t, err)
	return key
}

// arrive uploads a file.
func (w *world) arrive(name, content string) dataset.Ingestion {
	w.t.Helper()
	ing, err := w.Arrive(w.t.Context(), by, "support", w.put(name, content), int64(len(content)), "")
	require.NoError(w.t, err)
	return ing
}

// check uploads and checks a file.
func (w *world) check(name, content string) dataset.Ingestion {
	w.t.Helper()
	id := w.arrive(name, content).ID
	_, err := w.Check(w.t.Context(), id)
	require.NoError(w.t, err)
	return w.ingestion(id)
}

// add uploads, checks and publishes a file.
func (w *world) add(name, content string) dataset.Version {
	w.t.Helper()
	v, err := w.Publish(w.t.Context(), w.check(name, content).ID)
	require.NoError(w.t, err)
	return v
}

func (w *world) ingestion(id string) dataset.Ingestion {
	w.t.Helper()
	ing, err := w.Ingestion(w.t.Context(), id)
	require.NoError(w.t, err)
	return ing
}

// events gives the types of all events so far.
func (w *world) events() []string {
	w.t.Helper()
	all, err := w.log.After(w.t.Context(), 0, 1000)
	require.NoError(w.t, err)
	var types []string
	for _, e := range all {
		types = append(types, e.Type)
	}
	return types
}

func (w *world) rejects(id string) string {
	w.t.Helper()
	r, _, err := w.OpenRejects(w.t.Context(), id)
	require.NoError(w.t, err)
	b, err := io.ReadAll(r)
	require.NoError(w.t, err)
	return string(b)
}

// pairs makes JSON lines with n different rows.
func pairs(topic string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"prompt":"%s question %d","completion":"answer %d","topic":"%s"}`+"\n", topic, i, i, topic)
	}
	return b.String()
}
