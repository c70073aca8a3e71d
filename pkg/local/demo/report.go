package demo

import (
	"encoding/json"
	"os"
	"runtime"
	"time"
)

// Report is demo-report.json: what this run measured.
type Report struct {
	OK      bool               `json:"ok"`
	Error   string             `json:"error,omitempty"`
	Model   string             `json:"model"`
	Started time.Time          `json:"started"`
	Total   float64            `json:"totalSeconds"`
	Machine string             `json:"machine"`
	Seconds map[string]float64 `json:"seconds"` // by act
	Asked   []Asked            `json:"asked"`

	Ingestion      map[string]int    `json:"ingestion"`
	ArrivalToTrain float64           `json:"arrivalToTrainingSeconds"` // the file's arrival to the start of the training process
	Verdicts       map[string]string `json:"verdicts"`                 // by preset or data file
	// The inputs of GR = (new after − new before) of safe / naive and FR = (old before − old after) of safe / naive.
	Scores          map[string]Scores `json:"scores"` // by preset
	ForgettingRatio *float64          `json:"forgettingRatio,omitempty"`
	GainRatio       *float64          `json:"gainRatio,omitempty"`
	Rollback        float64           `json:"rollbackSeconds"`
	CanaryRollback  string            `json:"canaryRollbackReason"`
	Requests        int64             `json:"requests"` // of generated traffic
	RequestsFailed  int64             `json:"requestsFailed"`
	Digests         map[string]string `json:"digests"`
	LiveShare       map[string]int    `json:"liveShare"` // percent by version in production at the end
	AuditEntries    int64             `json:"auditEntries"`
}

// Asked is a question about the company with the answers before and after.
type Asked struct {
	question
	Before string `json:"before"`
	After  string `json:"after"`
}

// Scores are means over the benchmark items of new (company) and old (general) knowledge.
type Scores struct {
	NewBefore float64 `json:"newBefore"`
	NewAfter  float64 `json:"newAfter"`
	OldBefore float64 `json:"oldBefore"`
	OldAfter  float64 `json:"oldAfter"`
	NewItems  int     `json:"newItems"`
	OldItems  int     `json:"oldItems"`
}

func newReport(model string) Report {
	return Report{Model: model, Started: time.Now().UTC(), Machine: machine(), Seconds: map[string]float64{},
		Verdicts: map[string]string{}, Scores: map[string]Scores{}, Digests: map[string]string{}}
}

func machine() string {
	b, err := json.Marshal(map[string]any{"os": runtime.GOOS, "arch": runtime.GOARCH, "cpus": runtime.NumCPU()})
	if err != nil {
		return ""
	}
	return string(b)
}

func (r *Report) finish(err error) {
	r.OK, r.Total = err == nil, seconds(time.Since(r.Started))
	if err != nil {
		r.Error = err.Error()
	}
	safe, ok := r.Scores["safe"]
	naive, both := r.Scores["naive"]
	if ok && both {
		r.ForgettingRatio = ratio(safe.OldBefore-safe.OldAfter, naive.OldBefore-naive.OldAfter)
		r.GainRatio = ratio(safe.NewAfter-safe.NewBefore, naive.NewAfter-naive.NewBefore)
	}
}

// ratio is nil when there is nothing to compare with.
func ratio(a, b float64) *float64 {
	if b <= 0 {
		return nil
	}
	q := a / b
	return &q
}

func (r *Report) write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
