// Package suite runs the official JSONata test suite (github.com/jsonata-js/jsonata, folder
// test/test-suite, MIT) through the platform's evaluator. The suite is fetched, not part of the
// repository.
package suite

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
)

// Case is one case of the suite.
type Case struct {
	Name      string
	Expr      json.RawMessage `json:"expr"`
	ExprFile  string          `json:"expr-file"`
	Data      json.RawMessage `json:"data"`
	Dataset   *string         `json:"dataset"`
	Bindings  json.RawMessage `json:"bindings"`
	Result    json.RawMessage `json:"result"`
	Code      string          `json:"code"`
	Error     *struct{ Code string }
	Undefined bool `json:"undefinedResult"`
	Unordered bool `json:"unordered"`
	TimeLimit int  `json:"timelimit"` // milliseconds
	Depth     int  `json:"depth"`
}

// Report counts and names what did not pass.
type Report struct {
	Passed, Total int
	Failed        []string
}

// Run runs all cases below a test-suite folder.
func Run(dir string, pool *jsonata.Pool) (Report, error) {
	datasets, err := loadDatasets(filepath.Join(dir, "datasets"))
	if err != nil {
		return Report{}, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "groups", "*", "*.json"))
	if err != nil || len(files) == 0 {
		return Report{}, fmt.Errorf("no cases below %s/groups (%w)", dir, errors.Join(err, os.ErrNotExist))
	}
	var r Report
	for _, file := range files {
		cases, err := loadCases(file)
		if err != nil {
			return r, err
		}
		for _, c := range cases {
			r.Total++
			if why := c.run(pool, datasets); why != "" {
				r.Failed = append(r.Failed, c.Name+": "+why)
			} else {
				r.Passed++
			}
		}
	}
	return r, nil
}

func loadDatasets(dir string) (map[string]json.RawMessage, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read datasets: %w", err)
	}
	out := map[string]json.RawMessage{}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read dataset: %w", err)
		}
		out[strings.TrimSuffix(f.Name(), ".json")] = raw
	}
	return out, nil
}

func loadCases(file string) ([]Case, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read case: %w", err)
	}
	var cases []Case
	if raw[0] != '[' {
		raw = []byte("[" + string(raw) + "]")
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		return nil, fmt.Errorf("decode %s: %w", file, err)
	}
	group := filepath.Base(filepath.Dir(file))
	for i := range cases {
		cases[i].Name = fmt.Sprintf("%s/%s#%d", group, filepath.Base(file), i)
		if cases[i].ExprFile != "" {
			expr, err := os.ReadFile(filepath.Join(filepath.Dir(file), cases[i].ExprFile))
			if err != nil {
				return nil, fmt.Errorf("read expression: %w", err)
			}
			if cases[i].Expr, err = json.Marshal(string(expr)); err != nil {
				return nil, fmt.Errorf("encode expression: %w", err)
			}
		}
	}
	return cases, nil
}

// patience is by how much the suite's time limits, which are made for Node, are longer here.
const patience = 20

// run gives "" when the case passes, else what differs.
func (c Case) run(pool *jsonata.Pool, datasets map[string]json.RawMessage) string {
	input := c.Data
	if input == nil && c.Dataset != nil {
		input = datasets[*c.Dataset]
	}
	bindings := c.Bindings
	if bindings == nil {
		bindings = json.RawMessage("{}")
	}
	got, err := pool.Evaluate(jsonata.Question{
		Source: c.Expr, Input: input, Bindings: bindings, Time: patience * time.Duration(c.TimeLimit) * time.Millisecond, Depth: c.Depth,
	}, time.Now())
	want := c.Code
	if c.Error != nil {
		want = c.Error.Code
	}
	if want != "" || err != nil {
		return c.failure(err, want)
	}
	if c.Undefined != (got == nil) || !c.Undefined && !c.same(got) {
		return fmt.Sprintf("got %.200s", got)
	}
	return ""
}

func (c Case) failure(err error, want string) string {
	var e *jsonata.Error
	switch {
	case err == nil:
		return "no error, expected " + want
	case !errors.As(err, &e) || want == "" || e.Code != want:
		return fmt.Sprintf("got error %v, expected %q", err, want)
	}
	return ""
}

func (c Case) same(got json.RawMessage) bool {
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal(c.Result, &b) != nil {
		return false
	}
	return reflect.DeepEqual(a, b) || c.Unordered && sameSet(a, b)
}

func sameSet(a, b any) bool {
	x, okX := a.([]any)
	y, okY := b.([]any)
	if !okX || !okY || len(x) != len(y) {
		return false
	}
	used := make([]bool, len(y))
	for _, v := range x {
		found := false
		for i := range y {
			if !used[i] && !found && reflect.DeepEqual(v, y[i]) {
				used[i], found = true, true
			}
		}
		if !found {
			return false
		}
	}
	return true
}
