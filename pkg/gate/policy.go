package gate

import (
	_ "embed"

	"github.com/perennial-llm/perennial/pkg/benchmark"
)

// PolicySchema names the form of a policy; ParsePolicy refuses any other.
const PolicySchema = "gate-policy/v1"

// Policy is what a candidate must show. Margins are in percentage points, shares are fractions of 1.
type Policy struct {
	Schema        string              `json:"schema"`
	Name          string              `json:"name,omitempty"`
	Alpha         float64             `json:"alpha"` // one-sided level of every test
	Pairing       PairingPolicy       `json:"pairing"`
	Pooled        PooledPolicy        `json:"pooled"`
	Capability    CapabilityPolicy    `json:"capability"`
	Regression    RegressionPolicy    `json:"benchmarkRegression"`
	Target        TargetPolicy        `json:"target"`
	Golden        GoldenPolicy        `json:"golden"`
	Flips         FlipsPolicy         `json:"flips"`
	Anchor        AnchorPolicy        `json:"anchor"`
	Safety        SafetyPolicy        `json:"safety"`
	Latency       LatencyPolicy       `json:"latency"`
	Contamination ContaminationPolicy `json:"contamination"`
	Verdicts      map[Verdict]string  `json:"verdicts"`
	Approval      ApprovalPolicy      `json:"approval"`
}

// PairingPolicy bounds what may be missing. Key is fixed: benchmark, lock and item.
type PairingPolicy struct {
	Key           string  `json:"key"`
	MaxUnpaired   float64 `json:"maxUnpaired"`   // share of items
	MaxItemErrors float64 `json:"maxItemErrors"` // share of a side's items
}

// PooledPolicy bounds the loss over everything; each benchmark counts alike or each item does.
type PooledPolicy struct {
	Weights  string  `json:"weights"` // equal-benchmark, equal-item
	Test     string  `json:"test"`
	MarginPP float64 `json:"marginPp"`
}

// CapabilityPolicy bounds the loss of each capability.
type CapabilityPolicy struct {
	Test      string             `json:"test"`
	MarginPP  float64            `json:"marginPp"`
	MarginsPP map[string]float64 `json:"marginsPp,omitempty"` // by capability, instead of MarginPP
	MinItems  int                `json:"minItems"`
	// FailIfEstimateBelowMargin fails a shown loss whose estimate lies beyond the margin; without it only one
	// whose whole interval does.
	FailIfEstimateBelowMargin bool `json:"failIfEstimateBelowMargin"`
}

// RegressionPolicy raises the alarm when one benchmark got worse.
type RegressionPolicy struct {
	Test       string  `json:"test"`
	Correction string  `json:"correction"` // holm
	OnHit      Verdict `json:"onHit"`
	// ReviewP puts a benchmark before a person whose estimate lies beyond the capability margin with an
	// uncorrected p-value of at most this; 0 = never.
	ReviewP float64 `json:"reviewP"`
	// LossPP is a loss that every benchmark of at least capability.minItems must exclude at level LossAlpha, or
	// go before a person: no gain elsewhere outweighs it. 0 = never.
	LossPP    float64 `json:"lossPp"`
	LossAlpha float64 `json:"lossAlpha"`
}

// TargetPolicy names what the training was for; each must be shown to gain.
type TargetPolicy struct {
	Benchmarks  []string `json:"benchmarks"`
	Require     string   `json:"require"`    // superiority
	Correction  string   `json:"correction"` // holm
	MinEffectPP float64  `json:"minEffectPp"`
	OnMiss      Verdict  `json:"onMiss"`
}

// GoldenPolicy is about items marked mustPass.
type GoldenPolicy struct {
	MustPass         bool `json:"mustPass"` // the candidate passes every one
	Repeats          int  `json:"repeats"`  // how often evaluation asks each
	MaxNegativeFlips int  `json:"maxNegativeFlips"`
}

// FlipsPolicy bounds the negative-flip rate beyond what a rerun of the incumbent shows.
type FlipsPolicy struct {
	NFRMinusAAFloorOver float64 `json:"nfrMinusAaFloorOver"`
	OnHit               Verdict `json:"onHit"`
}

// AnchorPolicy bounds the loss against the pinned version, so that small concessions do not add up.
type AnchorPolicy struct {
	Version  string  `json:"version"` // pinned
	MarginPP float64 `json:"marginPp"`
}

// SafetyPolicy is the stricter rule for the capabilities named.
type SafetyPolicy struct {
	Capabilities     []string `json:"capabilities"`
	OneSidedMarginPP float64  `json:"oneSidedMarginPp"`
	OnInconclusive   Verdict  `json:"onInconclusive"`
}

// LatencyPolicy bounds ratios of candidate to incumbent; they are judged when measured.
type LatencyPolicy struct {
	TTFTP95RatioMax float64 `json:"ttftP95RatioMax"`
	TPOTP95RatioMax float64 `json:"tpotP95RatioMax"`
	CostRatioMax    float64 `json:"costRatioMax"`
	OnHit           Verdict `json:"onHit"`
}

// ContaminationPolicy says what happens to items found in training data.
type ContaminationPolicy struct {
	Use          string  `json:"use"` // clean_subset, all
	ReviewIfOver float64 `json:"reviewIfOver"`
}

// ApprovalPolicy is enforced by the release, not by Decide; it is part of the digest an approval binds.
type ApprovalPolicy struct {
	ProdApprovers int      `json:"prodApprovers"`
	NotRequester  bool     `json:"notRequester"`
	TTLHours      int      `json:"ttlH"`
	Bind          []string `json:"bind"`
}

//go:embed policies/default.json
var defaultPolicy []byte

//go:embed policies/one-machine.json
var oneMachinePolicy []byte

//go:embed policies/policy.schema.json
var policySchema []byte

// DefaultPolicy is the policy for suites of industry size: thousands of items.
func DefaultPolicy() Policy { return mustParse(defaultPolicy) }

// OneMachinePolicy suits the self-authored suite of a few hundred items: the same rules with the margins that
// so few items can support.
func OneMachinePolicy() Policy { return mustParse(oneMachinePolicy) }

// PolicyJSONSchema is the JSON Schema (2020-12) of a policy.
func PolicyJSONSchema() []byte { return policySchema }

// Digest is "sha256:…" over the canonical form.
func (p Policy) Digest() string { return benchmark.Digest(p) }

func mustParse(b []byte) Policy {
	p, err := ParsePolicy(b)
	if err != nil {
		panic("embedded policy: " + err.Error()) // a fault of the build, found by any test
	}
	return p
}
