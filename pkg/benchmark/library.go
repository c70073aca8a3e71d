package benchmark

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Library is the standard library of B2: how to run the industry's sets, never their data.
type Library struct {
	Schema     string         `json:"schema"`
	Harness    string         `json:"harness"` // name/version; part of every lock
	Note       string         `json:"note"`
	Benchmarks []LibraryEntry `json:"benchmarks"`
}

// LibraryEntry is one ready configuration.
type LibraryEntry struct {
	Name       string `json:"name"`
	Task       string `json:"task"` // the harness's name of it
	Capability string `json:"capability"`
	Metric     string `json:"metric"`
	OutputType string `json:"outputType"`
	Items      int    `json:"items"` // as published; the fetched data count
	FewShot    int    `json:"fewShot"`
	Source     string `json:"source"`
	Licence    string `json:"licence"`
	// LicenceFrom says where the publisher states the licence.
	LicenceFrom string `json:"licenceFrom"`
	// Gated sets need terms to be accepted; RunsCode needs a sandbox without network.
	Gated         bool `json:"gated,omitempty"`
	RunsCode      bool `json:"runsCode,omitempty"`
	LowerIsBetter bool `json:"lowerIsBetter,omitempty"`
}

var outputTypes = []string{"multiple_choice", "generate_until", "loglikelihood", "loglikelihood_rolling"}

// ParseLibrary reads a library; the error names the first entry that lacks something.
func ParseLibrary(b []byte) (Library, error) {
	var lib Library
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&lib); err != nil {
		return lib, errs.New(errs.Invalid, "the library cannot be read: %w", err)
	}
	seen := map[string]bool{}
	for _, e := range lib.Benchmarks {
		if problem := e.problem(seen[e.Name]); problem != "" {
			return lib, errs.New(errs.Invalid, "%s", problem).At(e.Name)
		}
		seen[e.Name] = true
	}
	return lib, nil
}

func (e LibraryEntry) problem(again bool) string {
	switch {
	case !namePattern.MatchString(e.Name):
		return "the name is not usable"
	case again:
		return "the name is used twice"
	case e.Task == "" || e.Capability == "" || e.Metric == "":
		return "task, capability and metric are needed"
	case e.Source == "" || e.Licence == "" || e.LicenceFrom == "":
		return "source, licence and where it is stated are needed"
	case e.Items <= 0:
		return "the number of items is needed"
	case !slices.Contains(outputTypes, e.OutputType):
		return "the output type is not known"
	}
	return ""
}
