// Package gate decides, with evidence, whether a candidate model may replace the incumbent (G1). Decide is a
// pure function of a policy and of per-item results; its report is canonical JSON with a digest, which is
// what an approver's decision is bound to (G2). No data never pass.
package gate

// Verdict is the gate's answer.
type Verdict string

// The verdicts, from best to worst.
const (
	Pass         Verdict = "PASS"         // shown to be good enough
	Inconclusive Verdict = "INCONCLUSIVE" // not shown either way: a person decides
	Fail         Verdict = "FAIL"         // shown to be worse
)

var severity = map[Verdict]int{Pass: 0, Inconclusive: 1, Fail: 2}

// Worse gives the worse of two verdicts.
func (v Verdict) Worse(w Verdict) Verdict {
	if severity[w] > severity[v] {
		return w
	}
	return v
}

// Result is one item's outcome, one line of a results file as training/evaluate.py writes it.
type Result struct {
	Benchmark  string  `json:"benchmark"`
	Lock       string  `json:"lock"` // benchmark.Version.Lock
	Capability string  `json:"capability"`
	Item       string  `json:"item"` // unique within the benchmark
	Cluster    string  `json:"cluster,omitempty"`
	Score      float64 `json:"score"`           // 0…1; ignored when Error is set
	Error      string  `json:"error,omitempty"` // why there is no score
	MustPass   bool    `json:"mustPass,omitempty"`
	Output     string  `json:"output,omitempty"`
	LatencyMs  float64 `json:"latencyMs,omitempty"`
	Tokens     int     `json:"tokens,omitempty"`
	Prompt     string  `json:"prompt,omitempty"` // optional, for the report
	Target     string  `json:"target,omitempty"` // optional, for the report

	source *source // where it was read, for problems and to read it again; nil when it was not
	line   int
}

// Results is a re-readable stream of results: it may be ranged over several times and yields the same each
// time. An error with a Problem is collected with others; any other ends the decision.
type Results func(yield func(Result, error) bool)

// Slice makes Results of results in memory.
func Slice(results []Result) Results {
	return func(yield func(Result, error) bool) {
		for _, r := range results {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Input is everything a decision depends on, besides the policy.
type Input struct {
	Incumbent Results
	Candidate Results
	Anchor    Results // the pinned version's results; nil when there is none
	// Contaminated holds "benchmark/item" for every item found in training data; empty when none was,
	// nil when nobody looked.
	Contaminated map[string]bool
	// Describe gives an item's question and target for the report; nil leaves what the results carry.
	Describe func(benchmark, item string) (prompt, target string)
	// Parts gives the digests of a lock's parts (benchmark.Version.Parts), so that a refusal can name what differs; nil
	// where it knows none. It is asked only about unequal locks and may be nil itself.
	Parts   func(benchmark, lock string) map[string]string
	Digests Digests
	Extras  Extras
}

// Digests says exactly what was judged. Locks and Policy are filled in by Decide.
type Digests struct {
	Candidate   string            `json:"candidate,omitempty"`
	Incumbent   string            `json:"incumbent,omitempty"`
	Anchor      string            `json:"anchor,omitempty"`
	Dataset     string            `json:"dataset,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Policy      string            `json:"policy"`
	Locks       map[string]string `json:"locks"` // by benchmark
}

// Extras are measurements beside the items. Ratios are candidate over incumbent; 0 means not measured.
type Extras struct {
	AAFloor      float64     // share of items that flip down when the incumbent is run twice
	TTFTP95Ratio float64     // time to first token
	TPOTP95Ratio float64     // time per output token
	CostRatio    float64     // cost per request
	History      []Milestone // promoted versions, oldest first, without the candidate
}

// Milestone is one promoted version's mean score by benchmark.
type Milestone struct {
	Version string             `json:"version"`
	Means   map[string]float64 `json:"means"`
}
