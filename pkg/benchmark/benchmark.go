// Package benchmark holds test suites: items, scorers, prompt and decoding as one immutable version whose
// lock is a digest over all of them (B1–B3), readers for suites from elsewhere, and the index that finds
// benchmark items in training data (D2). Scores are made by training/evaluate.py; this package says what was
// measured, so that only like is ever compared with like.
package benchmark

import (
	"cmp"
	"encoding/json"
	"fmt"
)

// Schema names the form that Lock digests; a change of form changes every lock.
const Schema = "benchmark/v1"

// Message is one turn of a chat item.
type Message struct {
	Role    string `json:"role"` // system, user, assistant
	Content string `json:"content"`
}

// Item is one question. Exactly one of Input and Messages is set.
type Item struct {
	ID         string    `json:"id"` // unique within the version
	Input      string    `json:"input,omitempty"`
	Messages   []Message `json:"messages,omitempty"`
	Choices    []string  `json:"choices,omitempty"` // for scorer "choice"; Target names one of them
	Target     string    `json:"target,omitempty"`
	Targets    []string  `json:"targets,omitempty"` // any of them is right
	Capability string    `json:"capability"`        // such as knowledge, reasoning, format, safety
	Cluster    string    `json:"cluster,omitempty"` // items of one cluster depend on one another
	Weight     float64   `json:"weight,omitempty"`  // kept and locked; the gate counts items alike
	MustPass   bool      `json:"mustPass,omitempty"`
	// Source and Licence say where the item comes from.
	Source  string   `json:"source,omitempty"`
	Licence string   `json:"licence,omitempty"`
	Tags    []string `json:"tags,omitempty"`
}

// Question is the text a model is asked: the input, or the messages joined by newlines.
func (it Item) Question() string {
	if it.Input != "" {
		return it.Input
	}
	text := ""
	for i, m := range it.Messages {
		if i > 0 {
			text += "\n"
		}
		text += m.Content
	}
	return text
}

// Answers gives every accepted target.
func (it Item) Answers() []string {
	if len(it.Targets) > 0 {
		return it.Targets
	}
	if it.Target != "" {
		return []string{it.Target}
	}
	return nil
}

// Scorer is how an output becomes a score of 0…1.
type Scorer struct {
	Kind   string         `json:"kind"` // one of Kinds
	Params map[string]any `json:"params,omitempty"`
}

// Prompt is how an item becomes the model's input.
type Prompt struct {
	Template string `json:"template,omitempty"` // with {input}; empty = the input itself
	System   string `json:"system,omitempty"`
	Chat     bool   `json:"chat"` // through the model's chat template
}

// Decoding is how the model answers.
type Decoding struct {
	MaxTokens   int      `json:"maxTokens"`
	Temperature float64  `json:"temperature"`
	Stop        []string `json:"stop,omitempty"`
	Seed        int64    `json:"seed,omitempty"`
}

// Judge is the model that scores, for judged suites.
type Judge struct {
	Model        string `json:"model"`
	PromptDigest string `json:"promptDigest"`
}

// Version is an immutable benchmark. Editing one makes another with another lock.
type Version struct {
	Name     string   `json:"benchmark"`
	Items    []Item   `json:"-"`
	Scorer   Scorer   `json:"scorer"`
	Prompt   Prompt   `json:"prompt"`
	Decoding Decoding `json:"decoding"`
	Judge    *Judge   `json:"judge,omitempty"`
	// Harness is the name and version of what runs it, such as "perennial/1" or "lm-eval/0.4.9".
	Harness string `json:"harness,omitempty"`
	// Title, Licence and Source are for people and are not part of the lock.
	Title   string `json:"title,omitempty"`
	Licence string `json:"licence,omitempty"`
	Source  string `json:"source,omitempty"`
}

// DefaultHarness is what runs a version that names none: training/evaluate.py.
const DefaultHarness = "perennial/1"

// Lock is "sha256:…" over the canonical form of everything that can change a score: items (sorted by id),
// scorer, prompt, decoding, judge and harness. Names and descriptions are left out.
func (v Version) Lock() string { return Digest(v.locked()) }

func (v Version) locked() map[string]any {
	digests := v.Parts()
	parts := make(map[string]any, len(digests)+1)
	for name, digest := range digests {
		parts[name] = digest
	}
	parts["schema"] = Schema
	return parts
}

// Parts gives the digest of each part of the lock by name (items, scorer, prompt, decoding, judge, harness);
// two versions with unequal locks differ in at least one.
func (v Version) Parts() map[string]string {
	out := map[string]string{}
	for part, content := range v.contents() {
		out[part] = Digest(content)
	}
	return out
}

// contents are the parts themselves.
func (v Version) contents() map[string]any {
	return map[string]any{
		"items": canonicalItems(v.Items), "scorer": v.Scorer, "prompt": v.Prompt, "decoding": v.Decoding, "judge": v.Judge,
		"harness": cmp.Or(v.Harness, DefaultHarness),
	}
}

// Header is lock.json: the version without its items, with its lock.
type Header struct {
	Version
	Lock      string            `json:"lock"`
	Schema    string            `json:"schema"`
	ItemCount int               `json:"itemCount"`
	Parts     map[string]string `json:"parts"`
}

// Header describes the version for lock.json.
func (v Version) Header() Header {
	return Header{Version: v, Lock: v.Lock(), Schema: Schema, ItemCount: len(v.Items), Parts: v.Parts()}
}

// Files gives the version as evaluate.py reads it: lock.json and items.jsonl (sorted by id).
func (v Version) Files() map[string][]byte {
	head, _ := json.MarshalIndent(v.Header(), "", "  ") // strings, numbers and maps only: cannot fail
	var items []byte
	for _, it := range canonicalItems(v.Items) {
		items = append(append(items, mustCanonical(it)...), '\n')
	}
	return map[string][]byte{"lock.json": append(head, '\n'), "items.jsonl": items}
}

// String names the version as people write it: name@first twelve digits of the lock.
func (v Version) String() string { return fmt.Sprintf("%s@%s", v.Name, ShortLock(v.Lock())) }

// ShortLock gives the first twelve hexadecimal digits of a lock.
func ShortLock(lock string) string {
	const prefix = "sha256:"
	if len(lock) > len(prefix)+12 {
		return lock[len(prefix) : len(prefix)+12]
	}
	return lock
}
