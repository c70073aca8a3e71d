// Package monitor counts what live versions do and keeps a masked sample of what they were asked and
// answered. Counters are added to, never rewritten, so that many gateways can count at once.
package monitor

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Observation is one answered request.
type Observation struct {
	ID          string
	Model       string
	Environment string
	Digest      string // of the version that answered
	Time        time.Time
	Failed      bool
	Latency     time.Duration
	Tokens      int // prompt and answer
	Prompt      string
	Answer      string
	Status      int // HTTP
}

// Totals are counters of one version in one environment.
type Totals struct {
	Requests  int64 `json:"requests"`
	Errors    int64 `json:"errors"`
	Tokens    int64 `json:"tokens"`
	LatencyMs int64 `json:"latencyMs"` // sum over answered requests
	// Sums of ln(latency in ms) and of its square, in millionths: what a test on log-latency needs.
	LogLatency   int64 `json:"logLatency"`
	LogLatencySq int64 `json:"logLatencySq"`
}

// Minus gives what was counted since an earlier look.
func (t Totals) Minus(o Totals) Totals {
	return Totals{t.Requests - o.Requests, t.Errors - o.Errors, t.Tokens - o.Tokens,
		t.LatencyMs - o.LatencyMs, t.LogLatency - o.LogLatency, t.LogLatencySq - o.LogLatencySq}
}

// Answered is the number of requests that got an answer.
func (t Totals) Answered() int64 { return t.Requests - t.Errors }

// MeanLatencyMs is the mean over answered requests in milliseconds, 0 when there are none.
func (t Totals) MeanLatencyMs() float64 {
	return float64(t.LatencyMs) / math.Max(1, float64(t.Answered()))
}

// Deps is what a Service needs.
type Deps struct {
	Table table.Table
	Clock ids.Clock
	Mask  func(text string) string // hides personal data; applied before anything is stored
}

// Service counts and samples.
type Service struct{ Deps }

// New returns a service.
func New(d Deps) *Service { return &Service{d} }

// retention of minute counters and captures.
const retention = 14 * 24 * time.Hour

func counterKey(model, env, digest, sk string) table.Key {
	return table.Key{PK: fmt.Sprintf("COUNT#%s#%s#%s", model, env, digest), SK: sk}
}

// Record counts an observation and keeps its masked text.
func (s *Service) Record(ctx context.Context, o Observation) error {
	nums := o.counters()
	minute := "MINUTE#" + o.Time.UTC().Format("2006-01-02T15:04")
	ops := []table.Op{
		{Kind: table.Add, Item: table.Item{Key: counterKey(o.Model, o.Environment, o.Digest, "TOTAL"), Num: nums}},
		{Kind: table.Add, Item: table.Item{Key: counterKey(o.Model, o.Environment, o.Digest, minute), Num: nums}},
		s.captureOp(o),
	}
	return s.Table.Write(ctx, "", ops...)
}

func (o Observation) counters() map[string]int64 {
	nums := map[string]int64{"requests": 1, "tokens": int64(o.Tokens)}
	if o.Failed {
		nums["errors"] = 1
		return nums
	}
	ms := math.Max(1, float64(o.Latency)/float64(time.Millisecond))
	log := math.Log(ms)
	nums["latencyMs"], nums["logLatency"], nums["logLatencySq"] = int64(ms), int64(log*1e6), int64(log*log*1e6)
	return nums
}

func totalsOf(n map[string]int64) Totals {
	return Totals{n["requests"], n["errors"], n["tokens"], n["latencyMs"], n["logLatency"], n["logLatencySq"]}
}
