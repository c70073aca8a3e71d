package gate

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"github.com/perennial-llm/perennial/pkg/benchmark"
)

//go:embed report.html
var reportHTML string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"pp":      func(x float64) string { return fmt.Sprintf("%+.1f", 100*x) },
	"abs":     func(x float64) string { return fmt.Sprintf("%.1f", 100*x) },
	"pct":     func(x float64) string { return fmt.Sprintf("%.1f%%", 100*x) },
	"short":   benchmark.ShortLock,
	"bar":     newBar,
	"first":   func(list []Flip) []Flip { return list[:min(len(list), shownOpen)] },
	"rest":    func(list []Flip) []Flip { return list[min(len(list), shownOpen):] },
	"verdict": func(v Verdict) string { return map[Verdict]string{Pass: "pass", Inconclusive: "open", Fail: "fail"}[v] },
}).Parse(reportHTML))

// HTML renders the report as one self-contained page, without scripts and without loading anything. Texts of
// items and answers are escaped.
func (r Report) HTML() ([]byte, error) {
	var out bytes.Buffer
	err := reportTemplate.Execute(&out, map[string]any{"R": r, "Digest": r.Digest()})
	if err != nil {
		return nil, fmt.Errorf("render gate report: %w", err)
	}
	return out.Bytes(), nil
}

// shownOpen is how many forgotten items the page shows without a click.
const shownOpen = 5

// bar places a comparison on a scale of ±width percentage points, in percent of the drawing's width.
type bar struct{ Low, High, At, Margin float64 }

// barWidth is half the scale: intervals beyond it end at the edge.
const barWidth = 0.10

func newBar(c Comparison) bar {
	return bar{Low: place(c.CI95.Low), High: place(c.CI95.High) - place(c.CI95.Low), At: place(c.Delta), Margin: place(-c.Margin)}
}

func place(x float64) float64 {
	return 50 + 50*max(-1, min(1, x/barWidth))
}
