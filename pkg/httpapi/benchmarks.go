package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

// ListBenchmarks answers listBenchmarks.
func (h *handler) ListBenchmarks(ctx context.Context) (*oas.BenchmarkList, error) {
	items, err := sentAll[oas.Benchmark](h.Benchmarks.Benchmarks(ctx))
	return &oas.BenchmarkList{Items: items}, err
}

// CreateBenchmark answers createBenchmark.
func (h *handler) CreateBenchmark(ctx context.Context, req *oas.BenchmarkNew) (*oas.Benchmark, error) {
	v, err := version(req)
	if err != nil {
		return nil, err
	}
	return sent[oas.Benchmark](h.Benchmarks.AddBenchmark(ctx, actor(ctx), v))
}

// version reads a benchmark from the wire form, which is that of its files.
func version(req *oas.BenchmarkNew) (benchmark.Version, error) {
	var v benchmark.Version
	body, err := req.MarshalJSON()
	if err != nil {
		return v, fmt.Errorf("encode benchmark: %w", err)
	}
	var items struct {
		Items []benchmark.Item `json:"items"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("decode benchmark: %w", err)
	}
	if err := json.Unmarshal(body, &items); err != nil {
		return v, fmt.Errorf("decode items: %w", err)
	}
	v.Items = items.Items
	return v, nil
}

// GetBenchmark answers getBenchmark. The cursor is the number of items before the page: a benchmark
// version never changes.
func (h *handler) GetBenchmark(ctx context.Context, p oas.GetBenchmarkParams) (*oas.BenchmarkPage, error) {
	v, err := h.Benchmarks.Benchmark(ctx, p.Benchmark)
	if err != nil {
		return nil, err
	}
	from, err := strconv.Atoi("0" + p.Cursor.Value)
	if err != nil {
		return nil, errs.New(errs.Invalid, "cursor %q is not one of this list", p.Cursor.Value).At("cursor")
	}
	from = min(from, len(v.Items))
	to := min(from+p.Limit.Value, len(v.Items))
	head, err := sent[oas.Benchmark](v.Header(), nil)
	if err != nil {
		return nil, err
	}
	head.Capabilities = oas.NewOptBenchmarkCapabilities(capabilities(v.Items))
	items, err := sentAll[oas.BenchmarkItem](v.Items[from:to], nil)
	page := &oas.BenchmarkPage{Benchmark: *head, Items: items}
	if to < len(v.Items) {
		page.NextCursor = opt(strconv.Itoa(to))
	}
	return page, err
}

func capabilities(items []benchmark.Item) oas.BenchmarkCapabilities {
	out := oas.BenchmarkCapabilities{}
	for _, it := range items {
		out[it.Capability]++
	}
	return out
}
