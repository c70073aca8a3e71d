package sagemaker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Point is one metric line of a job: "[perennial] step=10 loss=1.25 …".
type Point struct {
	Step   int64              `json:"step"` // 0 when the line has none
	Values map[string]float64 `json:"values"`
	Time   time.Time          `json:"time"` // when the platform saw it
	Offset int64              `json:"offset"`
}

// marker begins a metric line.
const marker = "[perennial] "

// parsePoint reads a metric line; ok is false when it holds no finite number.
func parsePoint(line string) (p Point, ok bool) {
	rest, found := strings.CutPrefix(line, marker)
	if !found {
		return p, false
	}
	p.Values = map[string]float64{}
	for _, field := range strings.Fields(rest) {
		k, v, _ := strings.Cut(field, "=")
		x, err := strconv.ParseFloat(v, 64)
		switch {
		case err != nil || math.IsNaN(x) || math.IsInf(x, 0):
		case k == "step":
			p.Step = int64(x)
		default:
			p.Values[k] = x
		}
	}
	return p, len(p.Values) > 0
}

// Metrics gives the metric lines of a job so far, in order.
func (s *Service) Metrics(_ context.Context, name string) ([]Point, error) {
	j, err := s.find(name)
	if err != nil {
		return nil, errs.New(errs.NotFound, "no job %q: %w", name, err)
	}
	return j.points()
}

func (j *job) points() ([]Point, error) {
	b, err := os.ReadFile(j.metrics())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Point
	for line := range bytes.Lines(b) {
		var p Point
		if json.Unmarshal(line, &p) == nil { // a torn last line is seen again from the log
			out = append(out, p)
		}
	}
	return out, nil
}

// finalMetrics gives the last value of each metric.
func (j *job) finalMetrics() []types.MetricData {
	points, _ := j.points()
	last := map[string]types.MetricData{}
	for _, p := range points {
		for k, v := range p.Values {
			last[k] = types.MetricData{MetricName: aws.String(k), Timestamp: aws.Time(p.Time), Value: aws.Float32(float32(v))}
		}
	}
	var out []types.MetricData
	for _, k := range slices.Sorted(maps.Keys(last)) {
		out = append(out, last[k])
	}
	return out
}

// follow reads the log as it grows and keeps its metric lines with the time they were seen.
func (j *job) follow(exited <-chan struct{}) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	at := j.followed()
	for {
		select {
		case <-exited:
			j.collect(&at)
			return
		case <-tick.C:
			j.collect(&at)
		}
	}
}

// followed is the offset of the log after the last metric line that is kept.
func (j *job) followed() int64 {
	points, _ := j.points()
	if len(points) == 0 {
		return 0
	}
	return points[len(points)-1].Offset
}

// collect keeps the metric lines after an offset and moves it.
func (j *job) collect(at *int64) {
	f, err := os.Open(j.log())
	if err != nil {
		return
	}
	defer f.Close()
	r := bufio.NewReader(io.NewSectionReader(f, *at, math.MaxInt64-*at))
	var fresh []Point
	for {
		line, err := r.ReadString('\n')
		if err != nil { // an incomplete line is read again next time
			break
		}
		*at += int64(len(line))
		if p, ok := parsePoint(strings.TrimSpace(line)); ok {
			p.Time, p.Offset = j.s.cfg.Clock(), *at
			fresh = append(fresh, p)
		}
	}
	j.keep(fresh)
}

func (j *job) keep(points []Point) {
	if len(points) == 0 {
		return
	}
	f, err := os.OpenFile(j.metrics(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		j.s.cfg.Logger.Warn("keep metrics", "job", j.name, "error", err)
		return
	}
	defer f.Close()
	encode := json.NewEncoder(f)
	for _, p := range points {
		if err := encode.Encode(p); err != nil {
			j.s.cfg.Logger.Warn("keep metrics", "job", j.name, "error", err)
			return
		}
		j.s.report(Progress{Job: j.name, Status: types.TrainingJobStatusInProgress, Secondary: types.SecondaryStatusTraining, Point: &p})
	}
}
