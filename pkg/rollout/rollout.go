// Package rollout moves live traffic between model versions: environments, releases in steps with
// analysis, approvals, rollbacks and holds. Traffic is weights in one record per environment, so
// that a rollback is one write.
package rollout

import (
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
)

// Target is one version that an environment can send traffic to.
type Target struct {
	Version  int    `json:"version"`
	Digest   string `json:"digest"`
	Endpoint string `json:"endpoint"`
	Weight   int    `json:"weight"` // percent of requests
}

// Environment is a place where a model serves.
type Environment struct {
	Name     string    `json:"name"` // "development", "staging", "production"
	Model    string    `json:"model"`
	Order    int       `json:"order"`
	Strategy Strategy  `json:"strategy"`
	Targets  []Target  `json:"targets"`            // weight 0 = kept warm
	Live     string    `json:"live,omitempty"`     // digest that carries traffic after the last finished release
	Previous string    `json:"previous,omitempty"` // digest to go back to
	Release  string    `json:"release,omitempty"`  // the one in progress, if any
	Changed  time.Time `json:"changed,omitzero"`
	Rev      int64     `json:"rev"`
}

// Strategy is how traffic moves in an environment.
type Strategy struct {
	Steps       []int   `json:"steps"`       // percent to the new version, ascending, ending in 100
	Interval    int     `json:"interval"`    // seconds between looks
	MinRequests int     `json:"minRequests"` // of the new version before a step may end; 0 = none needed
	MaxHold     int     `json:"maxHold"`     // looks without enough requests before giving up
	Alpha       float64 `json:"alpha"`       // false-alarm rate of the sequential tests
	LatencyMax  float64 `json:"latencyMax"`  // largest allowed ratio of mean latency new/old
}

// Phase of a release.
type Phase string

// The phases; the last four are final.
const (
	PendingApproval Phase = "PendingApproval"
	Progressing     Phase = "Progressing"
	Succeeded       Phase = "Succeeded"
	Failed          Phase = "Failed"
	RolledBack      Phase = "RolledBack"
	Rejected        Phase = "Rejected" // or expired
)

// Release brings one version through environments.
type Release struct {
	ID           string      `json:"id"`
	Model        string      `json:"model"`
	Version      int         `json:"version"`
	Digest       string      `json:"digest"`
	Environments []string    `json:"environments"`
	Requester    audit.Actor `json:"requester"`
	Reason       string      `json:"reason,omitempty"`
	BreakGlass   bool        `json:"breakGlass"`
	Report       string      `json:"report,omitempty"` // digest of the gate report
	Verdict      string      `json:"verdict,omitempty"`
	Approval     string      `json:"approval,omitempty"`
	Phase        Phase       `json:"phase"`
	Environment  string      `json:"environment,omitempty"` // where it is now
	Weight       int         `json:"weight"`                // there
	Steps        []Step      `json:"steps"`
	Execution    string      `json:"execution,omitempty"`
	Error        string      `json:"error,omitempty"`
	Created      time.Time   `json:"created"`
	Ended        time.Time   `json:"ended,omitzero"`
	Rev          int64       `json:"rev"`
}

// Step is one thing that a release did.
type Step struct {
	Time        time.Time `json:"time"`
	Environment string    `json:"environment"`
	Action      string    `json:"action"` // Prepared, Verified, Shifted, Judged, Finished, Reverted
	Weight      int       `json:"weight"`
	Verdict     string    `json:"verdict,omitempty"` // of Judged: Advance, Hold, Rollback
	Detail      string    `json:"detail,omitempty"`  // in words
	Analysis    *Analysis `json:"analysis,omitempty"`
}

// Analysis is what a look at a canary saw.
type Analysis struct {
	BaseRequests   int64   `json:"baseRequests"`
	BaseErrors     int64   `json:"baseErrors"`
	CanaryRequests int64   `json:"canaryRequests"`
	CanaryErrors   int64   `json:"canaryErrors"`
	ErrorE         float64 `json:"errorE"`       // e-value of the errors test; breach at 1/alpha
	LatencyRatio   float64 `json:"latencyRatio"` // mean new/old; 0 = not known
	CannedPassed   int     `json:"cannedPassed"`
	CannedTotal    int     `json:"cannedTotal"`
}

// Rollback is one return to an earlier version.
type Rollback struct {
	ID          string      `json:"id"`
	Model       string      `json:"model"`
	Environment string      `json:"environment"`
	From        Target      `json:"from"`
	To          Target      `json:"to"`
	Reason      string      `json:"reason"`
	Actor       audit.Actor `json:"actor"`
	Automatic   bool        `json:"automatic"`
	Status      string      `json:"status"` // Shifting, Verifying, Done, Failed
	Seconds     float64     `json:"seconds"`
	Hold        string      `json:"hold,omitempty"`
	Execution   string      `json:"execution,omitempty"`
	Error       string      `json:"error,omitempty"`
	Created     time.Time   `json:"created"`
	Ended       time.Time   `json:"ended,omitzero"`
	Rev         int64       `json:"rev"`
}

// Hold keeps a version out of an environment until somebody releases it.
type Hold struct {
	ID          string      `json:"id"`
	Model       string      `json:"model"`
	Environment string      `json:"environment"`
	Digest      string      `json:"digest"`
	Version     int         `json:"version"`
	Reason      string      `json:"reason"`
	Actor       audit.Actor `json:"actor"`
	Created     time.Time   `json:"created"`
	Released    time.Time   `json:"released,omitzero"`
	Rev         int64       `json:"rev"`
}

// Decision on an approval.
type Decision struct {
	Actor   audit.Actor `json:"actor"`
	Approve bool        `json:"approve"`
	Reason  string      `json:"reason"`
	Time    time.Time   `json:"time"`
}

// Binding is what an approval is bound to: any change of one of them voids it.
type Binding struct {
	Candidate   string `json:"candidate"` // digest
	Report      string `json:"report"`    // digest
	Policy      string `json:"policy"`    // digest
	Environment string `json:"environment"`
}

// Approval asks people whether a release may go on.
type Approval struct {
	ID         string      `json:"id"`
	Release    string      `json:"release"`
	Model      string      `json:"model"`
	Version    int         `json:"version"`
	Binding    Binding     `json:"binding"`
	Requester  audit.Actor `json:"requester"`
	BreakGlass bool        `json:"breakGlass"` // the gate said FAIL: two other people and their reasons are needed
	Required   int         `json:"required"`   // approvals needed
	Decisions  []Decision  `json:"decisions"`
	Status     string      `json:"status"` // Pending, Approved, Rejected, Expired, Voided
	Expires    time.Time   `json:"expires"`
	Created    time.Time   `json:"created"`
	Decided    time.Time   `json:"decided,omitzero"`
	Rev        int64       `json:"rev"`
}
