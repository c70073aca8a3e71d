package gate

import (
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/stats"
)

// ReportSchema names the form of the report.
const ReportSchema = "gate-report/v1"

// Report is what an approver reads and what an approval is bound to. Means, differences, bounds and margins
// are fractions of 1 (0.01 is one point), differences candidate minus incumbent.
type Report struct {
	Schema        string        `json:"schema"`
	Verdict       Verdict       `json:"verdict"`
	DecidingRule  string        `json:"decidingRule"` // the first rule with the worst verdict; "all" for PASS
	Summary       string        `json:"summary"`      // one sentence
	Reasons       []string      `json:"reasons"`      // why not PASS, or what was shown, in plain words
	Rules         []Rule        `json:"rules"`        // every rule of the policy, in order
	Pooled        Comparison    `json:"pooled"`
	Capabilities  []Comparison  `json:"capabilities"`
	Benchmarks    []Comparison  `json:"benchmarks"`
	Targets       []Comparison  `json:"targets"`
	Anchor        *Comparison   `json:"anchor,omitempty"`
	Golden        Golden        `json:"golden"`
	Flips         Flips         `json:"flips"`
	Forgotten     []Flip        `json:"forgotten"` // at most MaxExamples; Flips.Negative counts them all
	Gained        []Flip        `json:"gained"`
	Pairing       Pairing       `json:"pairing"`
	Contamination Contamination `json:"contamination"`
	Forgetting    *Forgetting   `json:"forgetting,omitempty"` // when promoted versions are known
	Speed         Speed         `json:"speed"`
	Digests       Digests       `json:"digests"`
	Policy        Policy        `json:"policy"`
}

// MaxExamples bounds the forgotten and the gained items that a report shows with their outputs.
const MaxExamples = 100

// Rule is one rule's outcome. An Applied of false means that the input holds nothing it speaks about.
type Rule struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Applied bool    `json:"applied"`
	Reason  string  `json:"reason"`
}

// Comparison is incumbent against candidate over a set of items.
type Comparison struct {
	Name      string         `json:"name"`
	OldMean   float64        `json:"oldMean"`
	NewMean   float64        `json:"newMean"`
	Delta     float64        `json:"delta"` // weighted over benchmarks when there are several
	CI95      stats.Interval `json:"ci95"`
	Lower     float64        `json:"lower"` // one-sided bounds at the policy's alpha
	Upper     float64        `json:"upper"`
	N         int            `json:"n"`
	Clusters  int            `json:"clusters,omitempty"` // 0 when every item stands alone
	Gained    int            `json:"gained"`
	Forgotten int            `json:"forgotten"`
	FlipRate  float64        `json:"flipRate"`         // share of items gained or forgotten
	MDE       float64        `json:"mde"`              // smallest true loss this many items would have found
	Margin    float64        `json:"margin,omitempty"` // the largest allowed loss, or the required gain
	Test      string         `json:"test"`
	P         float64        `json:"p,omitempty"`         // one-sided
	AdjustedP float64        `json:"adjustedP,omitempty"` // after correction over all benchmarks
	Verdict   Verdict        `json:"verdict"`
	Reason    string         `json:"reason"`
}

// Flip is one item that changed sides.
type Flip struct {
	Benchmark  string  `json:"benchmark"`
	Item       string  `json:"item"`
	Capability string  `json:"capability"`
	MustPass   bool    `json:"mustPass,omitempty"`
	Prompt     string  `json:"prompt,omitempty"`
	Target     string  `json:"target,omitempty"`
	OldScore   float64 `json:"oldScore"`
	NewScore   float64 `json:"newScore"`
	OldOutput  string  `json:"oldOutput"`
	NewOutput  string  `json:"newOutput"`
}

// Golden counts the items that must pass.
type Golden struct {
	Items         int    `json:"items"`
	Passed        int    `json:"passed"`
	NegativeFlips int    `json:"negativeFlips"` // passed before, not now
	Unscored      int    `json:"unscored"`
	Failed        []Flip `json:"failed"` // at most MaxExamples
}

// Flips are the negative-flip rate c/n (Yan et al. 2021, arXiv:2011.09161) and its opposite.
type Flips struct {
	Negative     int     `json:"negative"`
	Positive     int     `json:"positive"`
	NegativeRate float64 `json:"negativeRate"`
	PositiveRate float64 `json:"positiveRate"`
	AAFloor      float64 `json:"aaFloor"`
}

// Pairing counts items on both sides.
type Pairing struct {
	Items           int      `json:"items"` // on either side
	Incumbent       int      `json:"incumbent"`
	Candidate       int      `json:"candidate"`
	Paired          int      `json:"paired"` // with a score on both sides
	Unpaired        int      `json:"unpaired"`
	UnpairedShare   float64  `json:"unpairedShare"`
	UnpairedItems   []string `json:"unpairedItems"` // at most ten, "benchmark/item"
	IncumbentErrors int      `json:"incumbentErrors"`
	CandidateErrors int      `json:"candidateErrors"`
	ErrorShare      float64  `json:"errorShare"` // the worse side's
}

// Contamination says how many items were found in training data, and the pooled difference with them.
type Contamination struct {
	Items     int         `json:"items"`
	Share     float64     `json:"share"`
	Excluded  bool        `json:"excluded"`           // the numbers of the report leave them out
	AllPooled *Comparison `json:"allItems,omitempty"` // pooled over all items, when some are excluded
}

// Forgetting compares with promoted versions (Lopez-Paz and Ranzato 2017, arXiv:1706.08840; Chaudhry et al.
// 2018, arXiv:1801.10112): BWT is the mean over benchmarks of the change since each was first measured,
// negative when things were forgotten; a benchmark's forgetting is its best earlier mean less today's.
type Forgetting struct {
	BWT        float64            `json:"bwt"`
	Benchmarks map[string]float64 `json:"benchmarks"`
	Versions   int                `json:"versions"`
}

// Speed compares what answering costs. Ratios are candidate over incumbent, 0 when not measured.
type Speed struct {
	LatencyP95OldMs float64 `json:"latencyP95OldMs"`
	LatencyP95NewMs float64 `json:"latencyP95NewMs"`
	TokensOld       float64 `json:"tokensOld"` // mean per item
	TokensNew       float64 `json:"tokensNew"`
	TTFTP95Ratio    float64 `json:"ttftP95Ratio"`
	TPOTP95Ratio    float64 `json:"tpotP95Ratio"`
	CostRatio       float64 `json:"costRatio"`
}

// JSON gives the report in canonical form.
func (r Report) JSON() ([]byte, error) { return benchmark.Canonical(r) }

// Digest is "sha256:…" over the canonical form.
func (r Report) Digest() string { return benchmark.Digest(r) }
