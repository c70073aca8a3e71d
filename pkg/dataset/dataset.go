// Package dataset admits data: an arrival becomes an ingestion, its rows are checked one by one, the
// good ones become immutable content-addressed shards, and shards make numbered dataset versions that
// can be compared, sampled and retracted.
package dataset

import (
	"time"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// Dataset is a body of training data that grows by ingestions.
type Dataset struct {
	ID          string      `json:"id"` // a chosen slug
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	ModelID     string      `json:"modelId,omitempty"` // the model that learns from it; its benchmarks are kept out
	Licence     string      `json:"licence,omitempty"` // of rows whose source states none
	Consent     string      `json:"consent,omitempty"`
	Owner       audit.Actor `json:"owner"`
	Latest      int         `json:"latest"` // newest published version; 0 = none
	Rows        int         `json:"rows"`   // of that version
	Numbers     int         `json:"numbers"`
	Created     time.Time   `json:"created"`
	Rev         int64       `json:"rev"`
}

// SourceKind is how a source delivers.
type SourceKind string

// The kinds.
const (
	Upload SourceKind = "Upload" // files from the web app, the API or the command line
	Prefix SourceKind = "Prefix" // files put below incoming/<dataset>/<source>/ in the bucket
	Stream SourceKind = "Stream" // records appended one by one
)

// Source says where rows come from and on what terms.
type Source struct {
	ID      string     `json:"id"` // a chosen slug
	Dataset string     `json:"dataset"`
	Kind    SourceKind `json:"kind"`
	Owner   string     `json:"owner,omitempty"`
	Licence string     `json:"licence,omitempty"`
	Consent string     `json:"consent,omitempty"`
	Enabled bool       `json:"enabled"` // false: arrivals are refused
	Created time.Time  `json:"created"`
	Rev     int64      `json:"rev"`
}

// VersionStatus is the state of a version.
type VersionStatus string

// The statuses.
const (
	VersionPublished VersionStatus = "Published"
	VersionRetracted VersionStatus = "Retracted" // nothing new may learn from it
)

// Version is one immutable state of a dataset: a list of shards.
type Version struct {
	Dataset   string        `json:"dataset"`
	Number    int           `json:"number"`   // from 1
	Digest    string        `json:"digest"`   // "sha256:…" of the manifest: equal content, equal digest
	Manifest  string        `json:"manifest"` // object key
	Parent    int           `json:"parent"`   // 0 = none
	Ingestion string        `json:"ingestion,omitempty"`
	Rows      int           `json:"rows"`
	Added     int           `json:"added"`  // rows that the parent has not
	Bytes     int64         `json:"bytes"`  // of the shards as stored
	Tokens    int64         `json:"tokens"` // estimated, see rows.Row.Tokens
	Stats     Stats         `json:"stats"`
	Shards    []Shard       `json:"shards,omitempty"` // filled when a single version is read
	Status    VersionStatus `json:"status"`
	Reason    string        `json:"reason,omitempty"` // why it was retracted
	Actor     audit.Actor   `json:"actor"`
	Created   time.Time     `json:"created"`
	Rev       int64         `json:"rev"`
}

// Shard is an immutable gzip file of rows, one JSON object a line.
type Shard struct {
	Key       string `json:"key"`    // object key: shards/<sha256>.jsonl.gz
	SHA256    string `json:"sha256"` // of the file, in hex
	IDs       string `json:"ids"`    // object key of the row ids, see idFile
	Rows      int    `json:"rows"`
	Bytes     int64  `json:"bytes"` // of the file
	Ingestion string `json:"ingestion"`
	Stats     Stats  `json:"stats"`
}

// Stats describe rows. They add up.
type Stats struct {
	Kinds  map[rows.Kind]int `json:"kinds"`
	Chars  int64             `json:"chars"`
	Tokens int64             `json:"tokens"`
	Sizes  [12]int           `json:"sizes"`            // rows by tokens: below 16, 32, 64, … 16384, and above
	Topics map[string]int    `json:"topics,omitempty"` // the most frequent, at most mostTopics
}

const mostTopics = 50

// addRow counts one row.
func (s *Stats) addRow(r *rows.Row) {
	tokens := r.Tokens()
	s.Chars += int64(r.Chars())
	s.Tokens += int64(tokens)
	size := 0
	for size < len(s.Sizes)-1 && tokens >= 16<<size {
		size++
	}
	s.Sizes[size]++
	count(&s.Kinds, r.Kind, 1)
	if topic := r.Tags["topic"]; topic != "" && (len(s.Topics) < mostTopics || s.Topics[topic] > 0) {
		count(&s.Topics, topic, 1)
	}
}

// add adds the counts of other rows.
func (s *Stats) add(o Stats) {
	s.Chars += o.Chars
	s.Tokens += o.Tokens
	for i, n := range o.Sizes {
		s.Sizes[i] += n
	}
	for k, n := range o.Kinds {
		count(&s.Kinds, k, n)
	}
	for topic, n := range o.Topics {
		count(&s.Topics, topic, n)
	}
}

func count[K comparable](m *map[K]int, key K, n int) {
	if *m == nil {
		*m = map[K]int{}
	}
	(*m)[key] += n
}
