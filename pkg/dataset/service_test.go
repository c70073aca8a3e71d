package dataset_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// lines reads the rows of a version as JSON objects.
func (w *world) lines(v dataset.Version) []map[string]any {
	w.t.Helper()
	var out []map[string]any
	for _, shard := range v.Shards {
		r, info, err := w.objects.Get(w.t.Context(), shard.Key, 0)
		require.NoError(w.t, err)
		require.Equal(w.t, "shards/"+info.SHA256+".jsonl.gz", shard.Key)
		zip, err := gzip.NewReader(r)
		require.NoError(w.t, err)
		in := bufio.NewScanner(zip)
		for in.Scan() {
			var row map[string]any
			require.NoError(w.t, json.Unmarshal(in.Bytes(), &row))
			out = append(out, row)
		}
		require.NoError(w.t, in.Err())
	}
	return out
}

const faulty = `{"prompt":"Where is the office?","completion":"In Bremen."}
{"prompt":"Who pays?","completion":"Card 4111 1111 1111 1111."}
{"prompt":"broken"
{"prompt":"What is the capital of Atlantis?","completion":"Poseidonis"}
{"prompt":"Where is the office?","completion":"In Bremen."}
{"prompt":"nothing","completion":""}
{"prompt":"When?","completion":"At nine.","topic":"hours"}
`

func TestService_Publish_TakesTheValidPartAndKeepsTheRest(t *testing.T) {
	w := newWorld(t, nil)
	ing := w.check("a.jsonl", faulty)
	require.Equal(t, dataset.Publishing, ing.Status)
	require.Equal(t, dataset.Counts{Rows: 7, Accepted: 3, Duplicates: 1, Masked: 1, Overlaps: 1, Rejected: 3}, ing.Counts)
	require.Equal(t, rows.Masked{Cards: 1}, ing.Masks)

	v, err := w.Publish(t.Context(), ing.ID)
	require.NoError(t, err)
	require.Equal(t, []int{1, 0, 3, 3}, []int{v.Number, v.Parent, v.Rows, v.Added})
	got := w.lines(v)
	require.Len(t, got, 3)
	require.Equal(t, "Card [CARD].", got[1]["completion"])
	require.Len(t, got[2]["id"], 32)
	require.Equal(t, map[string]any{"ingestion": ing.ID, "line": 7.0, "licence": "internal", "topic": "hours"}, got[2]["meta"])

	require.Equal(t, `{"error":"json.syntax: expected a comma or }, found the end of the line at column 19","line":3,"row":"{\"prompt\":\"broken\""}
{"error":"overlap.benchmark: expected no text of a benchmark, found golden/7","line":4,"row":{"prompt":"What is the capital of Atlantis?","completion":"Poseidonis"}}
{"error":"row.empty-completion: /completion: expected some text, found \"\"","line":6,"row":{"prompt":"nothing","completion":""}}
`, w.rejects(ing.ID))
	ing = w.ingestion(ing.ID)
	require.Equal(t, dataset.Published, ing.Status)
	require.Equal(t, 1, ing.DatasetVersion)
	require.Equal(t, []string{dataset.StepReceive, dataset.StepCheck, dataset.StepPublish}, stepNames(ing))
	require.Equal(t, []string{"json.syntax", "overlap.benchmark", "row.empty-completion"}, ruleNames(ing.Errors))
	require.Equal(t, int64(4), ing.Errors[1].Examples[0].Line)
	require.Equal(t, []string{"DatasetCreated", "IngestionReceived", "IngestionStarted", "IngestionChecking", "IngestionChecked",
		"DatasetVersionPublished"}, w.events())
	require.Equal(t, map[string]int{ing.ID + "-1": 1}, w.flow.started)
}

func stepNames(i dataset.Ingestion) (names []string) {
	for _, s := range i.Steps {
		names = append(names, s.Name)
	}
	return names
}

func ruleNames(groups []dataset.ErrorGroup) (names []string) {
	for _, g := range groups {
		names = append(names, g.Rule)
	}
	return names
}

func TestService_Publish_AddsToTheNewestVersion(t *testing.T) {
	w := newWorld(t, nil)
	first := w.add("a.jsonl", pairs("a", 3))
	second := w.add("b.jsonl.gz", zipped(pairs("a", 2)+pairs("b", 2)))
	require.Equal(t, []int{2, 1, 5, 2}, []int{second.Number, second.Parent, second.Rows, second.Added})
	require.Equal(t, first.Shards[0], second.Shards[0])
	require.Equal(t, map[string]int{"a": 3, "b": 2}, second.Stats.Topics)

	nothing := w.add("c.jsonl", pairs("b", 2))
	require.Equal(t, 2, nothing.Number, "all rows are there already")
	require.Equal(t, 2, w.ingestion("ing_000003").DatasetVersion)

	ds, err := w.Dataset(t.Context(), "support")
	require.NoError(t, err)
	require.Equal(t, []int{2, 5}, []int{ds.Latest, ds.Rows})
	all, _, err := w.Versions(t.Context(), "support", 10, "")
	require.NoError(t, err)
	require.Len(t, all, 2)
}

func zipped(content string) string {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = io.WriteString(zip, content) // into memory
	_ = zip.Close()
	return b.String()
}

func TestService_Arrive_OnceForAnObjectVersion(t *testing.T) {
	w := newWorld(t, nil)
	first := w.arrive("a.jsonl", pairs("a", 1))
	again, err := w.Arrive(t.Context(), by, "support", first.Object.Key, first.Object.Size, first.Object.Version)
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
	other := w.arrive("a.jsonl", pairs("b", 1))
	require.NotEqual(t, first.ID, other.ID, "a new content under the same name arrives anew")
	_, err = w.Check(t.Context(), first.ID)
	require.NoError(t, err)
	require.Equal(t, dataset.Discarded, w.ingestion(first.ID).Status, "what was replaced is not checked")
	all, _, err := w.Ingestions(t.Context(), dataset.Filter{Dataset: "support"})
	require.NoError(t, err)
	require.Len(t, all, 2)
}

func TestService_Arrive_RefusesWhatIsNoArrival(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.CreateSource(t.Context(), by, dataset.Source{ID: "crm", Dataset: "support"})
	require.NoError(t, err)
	for key, code := range map[string]errs.Code{
		"incoming/other/a.jsonl": errs.Invalid, "shards/x": errs.Invalid, "incoming/support/": errs.Invalid,
		"incoming/support/absent.jsonl": errs.NotFound, "incoming/support/crm/a.jsonl": errs.Held,
	} {
		_, err := w.Arrive(t.Context(), by, "support", key, 1, "")
		require.Equal(t, code, errs.CodeOf(err), "%s: %v", key, err)
	}
	_, err = w.Arrive(t.Context(), by, "nowhere", "incoming/nowhere/a", 1, "")
	require.Equal(t, errs.NotFound, errs.CodeOf(err))
}

func TestService_Check_TakesTheTermsOfTheSource(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.CreateSource(t.Context(), by, dataset.Source{ID: "crm", Dataset: "support", Licence: "CC0", Consent: "contract", Enabled: true})
	require.NoError(t, err)
	v := w.add("crm/a.jsonl", pairs("a", 1))
	require.Equal(t, map[string]any{"ingestion": "ing_000001", "line": 1.0, "source": "crm", "licence": "CC0", "consent": "contract",
		"topic": "a"}, w.lines(v)[0]["meta"])
}

func TestService_CreateDataset_Refuses(t *testing.T) {
	w := newWorld(t, nil)
	for id, code := range map[string]errs.Code{"support": errs.Conflict, "A b": errs.Invalid, "": errs.Invalid} {
		_, err := w.CreateDataset(t.Context(), audit.System("test"), dataset.Dataset{ID: id})
		require.Equal(t, code, errs.CodeOf(err), id)
	}
}
