package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// ParsePolicy reads a policy. Unknown keys are refused, and so are values out of range; keys may also be
// written in snake_case. What a policy leaves out is zero, not the default: start from --print-policy.
func ParsePolicy(b []byte) (Policy, error) {
	b, err := camelKeys(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if err != nil {
		return Policy{}, err
	}
	if path := unknownKey(b, reflect.TypeFor[Policy]()); path != "" {
		return Policy{}, errs.New(errs.Invalid, "the policy has an unknown field %q", path).At(path).Mend("compare with gate --print-policy")
	}
	var p Policy
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return Policy{}, policySyntax(err)
	}
	return p, p.Validate()
}

func policySyntax(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field == "" {
		return errs.New(errs.Invalid, "%s", benchmark.WrongType("the policy", wrong)).Mend("start from gate --print-policy")
	}
	if errors.As(err, &wrong) {
		return errs.New(errs.Invalid, "%s", benchmark.WrongType("the policy's "+wrong.Field, wrong)).
			At(wrong.Field).Mend("see the schema or gate --print-policy")
	}
	return errs.New(errs.Invalid, "the policy cannot be read: %s", strings.TrimPrefix(err.Error(), "json: ")).
		Mend("compare with gate --print-policy")
}

// unknownKey gives the path of the first key, in order of the alphabet, that a struct of type t has no field for.
func unknownKey(b []byte, t reflect.Type) string {
	var object map[string]json.RawMessage
	if t.Kind() != reflect.Struct || json.Unmarshal(b, &object) != nil {
		return "" // not an object of fields: the decoder says what is wrong
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		field, ok := t.FieldByNameFunc(func(name string) bool {
			f, _ := t.FieldByName(name)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return strings.EqualFold(tag, key)
		})
		if !ok {
			return key
		}
		if below := unknownKey(object[key], field.Type); below != "" {
			return key + "." + below
		}
	}
	return ""
}

// camelKeys rewrites snake_case keys, as in published examples, to the wire's camelCase.
func camelKeys(b []byte) ([]byte, error) {
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, policySyntax(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errs.New(errs.Invalid, "the policy holds more than one JSON value").Mend("keep one object")
	}
	return json.Marshal(camelTree(tree))
}

func camelTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			if key == "marginsPp" || key == "margins_pp" { // keys below are capability names
				out["marginsPp"] = value
				continue
			}
			out[camel(key)] = camelTree(value)
		}
		return out
	case []any:
		for i := range v {
			v[i] = camelTree(v[i])
		}
	}
	return v
}

func camel(key string) string {
	parts := strings.Split(key, "_")
	for i, part := range parts[1:] {
		if part != "" {
			parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}

// Validate checks ranges and words; the error names the first wrong field.
func (p Policy) Validate() error {
	if p.Schema != PolicySchema {
		return errs.New(errs.Invalid, "the policy's schema is %q", p.Schema).At("schema").Mend("use %q", PolicySchema)
	}
	for _, c := range p.checks() {
		if !c.ok {
			return errs.New(errs.Invalid, "the policy's %s is out of range", c.field).At(c.field).Mend("%s", c.want)
		}
	}
	return nil
}

type policyCheck struct {
	field string
	ok    bool
	want  string
}

func (p Policy) checks() []policyCheck {
	const share, points = "use a share from 0 to 1", "use percentage points from 0 to 100"
	out := []policyCheck{
		{"alpha", p.Alpha > 0 && p.Alpha <= 0.5, "use a level above 0 and up to 0.5, such as 0.05"},
		{"pairing.maxUnpaired", isShare(p.Pairing.MaxUnpaired), share},
		{"pairing.maxItemErrors", isShare(p.Pairing.MaxItemErrors), share},
		{"pooled.weights", oneOf(p.Pooled.Weights, "equal-benchmark", "equal-item"), "use equal-benchmark or equal-item"},
		{"pooled.marginPp", isMargin(p.Pooled.MarginPP), "use percentage points above 0, up to 100"},
		{"capability.marginPp", isMargin(p.Capability.MarginPP), "use percentage points above 0, up to 100"},
		{"capability.minItems", p.Capability.MinItems >= 1, "use 1 or more"},
		{"benchmarkRegression.correction", oneOf(p.Regression.Correction, "holm"), "use holm"},
		{"benchmarkRegression.onHit", isBlock(p.Regression.OnHit), "use INCONCLUSIVE or FAIL"},
		{"benchmarkRegression.reviewP", isShare(p.Regression.ReviewP), share},
		{"benchmarkRegression.lossPp", isPoints(p.Regression.LossPP), points},
		{"benchmarkRegression.lossAlpha", p.Regression.LossPP == 0 || (p.Regression.LossAlpha > 0 && p.Regression.LossAlpha <= 0.5),
			"use a level above 0 and up to 0.5, such as 0.02"},
		{"target.require", oneOf(p.Target.Require, "superiority", ""), "use superiority"},
		{"target.minEffectPp", isPoints(p.Target.MinEffectPP), points},
		{"target.onMiss", len(p.Target.Benchmarks) == 0 || isBlock(p.Target.OnMiss), "use INCONCLUSIVE or FAIL"},
		{"golden.maxNegativeFlips", p.Golden.MaxNegativeFlips >= 0, "use 0 or more"},
		{"flips.nfrMinusAaFloorOver", isShare(p.Flips.NFRMinusAAFloorOver), share},
		{"flips.onHit", isBlock(p.Flips.OnHit), "use INCONCLUSIVE or FAIL"},
		{"anchor.marginPp", isMargin(p.Anchor.MarginPP), "use percentage points above 0, up to 100"},
		{"safety.oneSidedMarginPp", len(p.Safety.Capabilities) == 0 || isMargin(p.Safety.OneSidedMarginPP), points},
		{"safety.onInconclusive", len(p.Safety.Capabilities) == 0 || isBlock(p.Safety.OnInconclusive), "use INCONCLUSIVE or FAIL"},
		{"latency.onHit", isBlock(p.Latency.OnHit), "use INCONCLUSIVE or FAIL"},
		{"contamination.use", oneOf(p.Contamination.Use, "clean_subset", "all"), "use clean_subset or all"},
		{"contamination.reviewIfOver", isShare(p.Contamination.ReviewIfOver), share},
	}
	for name, margin := range p.Capability.MarginsPP {
		out = append(out, policyCheck{"capability.marginsPp." + name, isMargin(margin), "use percentage points above 0, up to 100"})
	}
	return out
}

func isShare(x float64) bool  { return x >= 0 && x <= 1 }
func isPoints(x float64) bool { return x >= 0 && x <= 100 }
func isMargin(x float64) bool { return x > 0 && x <= 100 }
func isBlock(v Verdict) bool  { return v == Inconclusive || v == Fail }

func oneOf(s string, words ...string) bool {
	for _, w := range words {
		if s == w {
			return true
		}
	}
	return false
}
