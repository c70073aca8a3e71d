package conformance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// masks are the words that the recording puts in place of values that differ from run to run.
var masks = map[string]bool{
	"timestamp": true, "date": true, "datetime": true, "start-date": true, "stop-date": true, "snf_role_arn": true, "sfn_role_arn": true,
	"lambda_function_name": true, "x-amzn-RequestId": true, "RequestId": true, "X-Amzn-Trace-Id": true, "<omitted>": true,
}

var placeholder = regexp.MustCompile(`<+[A-Za-z][A-Za-z0-9_:>-]*>|lambda_function_name`)

// match compares a recorded value with ours. Masked parts match anything; a JSON text matches the
// value it holds. It gives the first difference as path and words, or "".
func match(recorded, ours any, path string) string {
	if text, ok := recorded.(string); ok && masks[text] {
		return ""
	}
	switch rec := recorded.(type) {
	case map[string]any:
		return matchObject(rec, decoded(ours), path)
	case []any:
		return matchArray(rec, decoded(ours), path)
	case string:
		return matchString(rec, ours, path)
	}
	if recorded != ours {
		return differ(path, recorded, ours)
	}
	return ""
}

func differ(path string, recorded, ours any) string {
	return fmt.Sprintf("%s: recorded %s, ours %s", path, show(recorded), show(ours))
}

func show(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(raw) > 300 {
		return string(raw[:300]) + "…"
	}
	return string(raw)
}

// decoded parses a JSON text.
func decoded(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	var out any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return v
	}
	return out
}

func matchObject(rec map[string]any, ours any, path string) string {
	m, ok := ours.(map[string]any)
	if !ok {
		return differ(path, rec, ours)
	}
	for _, key := range union(rec, m) {
		r, inRec := rec[key]
		o, inOurs := m[key]
		if inRec != inOurs {
			return differ(path+"/"+key, r, o)
		}
		if d := match(r, o, path+"/"+key); d != "" {
			return d
		}
	}
	return ""
}

func union(a, b map[string]any) []string {
	keys := make([]string, 0, len(a))
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

func matchArray(rec []any, ours any, path string) string {
	list, ok := ours.([]any)
	if !ok || len(list) != len(rec) {
		return differ(path, rec, ours)
	}
	for i := range rec {
		if d := match(rec[i], list[i], fmt.Sprintf("%s/%d", path, i)); d != "" {
			return d
		}
	}
	return ""
}

func matchString(rec string, ours any, path string) string {
	text, ok := ours.(string)
	if !ok {
		return differ(path, rec, ours)
	}
	if rec == text || wildcard(rec).MatchString(text) {
		return ""
	}
	if strings.ContainsAny(rec, "{[") { // a JSON text with masks inside
		r, o := decoded(rec), decoded(text)
		if _, same := r.(string); !same && match(r, o, path) == "" {
			return ""
		}
	}
	return differ(path, rec, text)
}

// wildcard turns the placeholders of a recorded text into "anything".
func wildcard(rec string) *regexp.Regexp {
	parts := placeholder.Split(rec, -1)
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, `.*`) + `$`)
}

// matchEvent compares two events without ids and time.
func matchEvent(rec, ours map[string]any) string {
	return matchObject(bare(rec), bare(ours), fmt.Sprint(rec["type"]))
}

func bare(e map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range e {
		if k != "id" && k != "previousEventId" && k != "timestamp" {
			out[k] = v
		}
	}
	return out
}
