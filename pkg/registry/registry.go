// Package registry keeps models and their versions: what each version was made of and which
// version is champion. Versions are immutable but for their status.
package registry

import (
	"encoding/json"
	"strings"
	"time"
)

// Model is one language model that is kept current.
type Model struct {
	ID         string   `json:"id"` // "mdl_…" or a chosen slug
	Name       string   `json:"name"`
	Dataset    string   `json:"dataset"`    // the dataset it learns from
	Benchmarks []string `json:"benchmarks"` // names of the benchmarks that guard it
	Preset     string   `json:"preset"`     // default training preset
	Canned     []Canned `json:"canned"`     // prompts that every healthy version answers
	// Anchor is the pinned version that every candidate is compared with too; 0 = the first of its ancestors.
	Anchor int `json:"anchor,omitempty"`
	// Train overrides sections of the training configuration (run.json) for this model.
	Train   json.RawMessage `json:"train,omitempty"`
	Created time.Time       `json:"created"`
	Rev     int64           `json:"rev"`
}

// Canned is a prompt with what a healthy answer contains.
type Canned struct {
	Prompt   string `json:"prompt"`
	Contains string `json:"contains"` // alternatives separated by "|", compared without case
}

// Matches tells whether an answer contains one of the expected alternatives.
func (c Canned) Matches(answer string) bool {
	for alt := range strings.SplitSeq(c.Contains, "|") {
		if strings.Contains(strings.ToLower(answer), strings.ToLower(strings.TrimSpace(alt))) {
			return true
		}
	}
	return false
}

// Status of a version.
type Status string

// The statuses.
const (
	Candidate Status = "Candidate" // trained or imported, not yet decided
	Approved  Status = "Approved"  // somebody with the right to do so approved it
	Rejected  Status = "Rejected"  // the gate or a person refused it
)

// Origin of a version.
type Origin string

// The origins.
const (
	Imported Origin = "Imported"
	Trained  Origin = "Trained"
)

// DatasetRef names one immutable dataset version.
type DatasetRef struct {
	Dataset string `json:"dataset"`
	Number  int    `json:"number"`
	Digest  string `json:"digest"`
}

// Version is one version of a model.
type Version struct {
	Model    string             `json:"model"`
	Number   int                `json:"number"` // from 1
	Digest   string             `json:"digest"` // "sha256:…" of the served files
	Parent   int                `json:"parent"` // 0 = none
	Origin   Origin             `json:"origin"`
	Run      string             `json:"run,omitempty"`
	Datasets []DatasetRef       `json:"datasets"` // learned in this version, not in its parents
	Artifact string             `json:"artifact"` // object key prefix of the model folder
	Preset   string             `json:"preset,omitempty"`
	Metrics  map[string]float64 `json:"metrics"`
	Status   Status             `json:"status"`
	Verdict  string             `json:"verdict,omitempty"` // of the gate
	Report   string             `json:"report,omitempty"`  // digest of the gate report
	Policy   string             `json:"policy,omitempty"`  // digest of the gate policy
	Aliases  []string           `json:"aliases"`           // "champion", "challenger"
	Created  time.Time          `json:"created"`
	Rev      int64              `json:"rev"`
}

// The aliases.
const (
	Champion   = "champion"
	Challenger = "challenger"
)
