package monitor

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Capture is one request and its answer with personal data masked.
type Capture struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Digest    string    `json:"digest"`
	Prompt    string    `json:"prompt"`
	Answer    string    `json:"answer"`
	Status    int       `json:"status"`
	LatencyMs int64     `json:"latencyMs"`
}

// maxText bounds a captured text in bytes.
const maxText = 4096

func (s *Service) captureOp(o Observation) table.Op {
	c := Capture{ID: o.ID, Time: o.Time, Digest: o.Digest, Prompt: s.masked(o.Prompt), Answer: s.masked(o.Answer),
		Status: o.Status, LatencyMs: o.Latency.Milliseconds()}
	body, _ := json.Marshal(c) // strings and numbers only: cannot fail
	return table.Op{Kind: table.Put, Item: table.Item{Body: body, TTL: o.Time.Add(retention),
		Key: table.Key{PK: "CAPTURE#" + o.Model + "#" + o.Environment, SK: o.ID}}}
}

func (s *Service) masked(text string) string {
	text = s.Mask(text)
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	return text
}

// Captures gives the newest captures first.
func (s *Service) Captures(ctx context.Context, model, env string, limit int) ([]Capture, error) {
	list, _, err := table.List[Capture](ctx, s.Table, table.Query{
		PK: "CAPTURE#" + model + "#" + env, Descending: true, Limit: limit})
	return list, err
}

// Totals gives a version's counters since it first served in an environment.
func (s *Service) Totals(ctx context.Context, model, env, digest string) (Totals, error) {
	it, err := s.Table.Get(ctx, counterKey(model, env, digest, "TOTAL"), table.Consistent)
	if errs.Is(err, errs.NotFound) {
		return Totals{}, nil
	}
	return totalsOf(it.Num), err
}

// Point is one minute of one version.
type Point struct {
	Time   time.Time `json:"time"`
	Digest string    `json:"digest"`
	Totals
}

// Series gives the counters of versions in an environment minute by minute, oldest first.
func (s *Service) Series(ctx context.Context, model, env string, digests []string, minutes int) ([]Point, error) {
	from := s.Clock().Add(-time.Duration(minutes) * time.Minute).UTC().Format("2006-01-02T15:04")
	out := []Point{}
	for _, d := range digests {
		page, err := s.Table.Query(ctx, table.Query{PK: counterKey(model, env, d, "").PK,
			From: "MINUTE#" + from, To: "MINUTE#~", Limit: 1000})
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			at, err := time.Parse("2006-01-02T15:04", strings.TrimPrefix(it.SK, "MINUTE#"))
			if err != nil {
				return nil, err
			}
			out = append(out, Point{Time: at, Digest: d, Totals: totalsOf(it.Num)})
		}
	}
	return out, nil
}
