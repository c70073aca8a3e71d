package local

import (
	"context"
	"maps"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/local/passwords"
	"github.com/perennial-llm/perennial/pkg/tasks"
)

// handlers are the platform's Lambda functions by name.
func (p *Platform) handlers() map[string]lambda.Handler {
	all := map[string]lambda.Handler{}
	for _, part := range []interface {
		Handlers() map[string]lambda.Handler
	}{
		tasks.Dataset{Service: p.Dataset}, tasks.Training{Dataset: p.Dataset, Training: p.Training, Rollout: p.Rollout, Trail: p.trail()}, tasks.Rollout{Service: p.Rollout},
	} {
		maps.Copy(all, part.Handlers())
	}
	return all
}

func hasher() identity.Hasher { return passwords.New() }

// linkable lets the local SageMaker hard-link objects instead of copying them.
type linkable struct{ *files.Store }

// Path gives the file that holds an object.
func (l linkable) Path(key string) (string, error) {
	path, ok := l.Store.Path(key)
	if !ok {
		return "", errs.New(errs.NotFound, "no object %q", key)
	}
	return path, nil
}

// jobEnv is what every job and model server gets from this process's environment.
func jobEnv() []string {
	out := []string{"HF_HUB_OFFLINE=1", "TOKENIZERS_PARALLELISM=false", "PYTHONUNBUFFERED=1"}
	for _, kv := range os.Environ() {
		for _, prefix := range []string{"OMP_", "OPENBLAS_", "CUDA_", "TORCH_"} {
			if strings.HasPrefix(kv, prefix) {
				out = append(out, kv)
			}
		}
	}
	return out
}

// indexes keeps the overlap index of all benchmarks until one of them changes.
type indexes struct {
	catalog *benchmark.Catalog
	mu      sync.Mutex
	key     string
	index   *benchmark.Index
}

func (x *indexes) of(ctx context.Context, _ dataset.Dataset) (dataset.Overlaps, error) {
	heads, err := x.catalog.Benchmarks(ctx)
	if err != nil {
		return nil, err
	}
	var key strings.Builder
	for _, h := range heads {
		key.WriteString(h.Lock)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.index == nil || x.key != key.String() {
		if x.index, err = x.catalog.Index(ctx); err != nil {
			return nil, err
		}
		x.key = key.String()
	}
	return x.index, nil
}
