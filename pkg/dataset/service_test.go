package dataset_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/table"
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

const mostlyBad = "prompt,completion\na,b\nc\nd\n\"x\ny\n"

func TestService_Quarantine_WaitsForADecision(t *testing.T) {
	for name, decide := range map[string]func(*world, string) (dataset.Ingestion, error){
		"publish valid": func(w *world, id string) (dataset.Ingestion, error) {
			return w.PublishValid(w.t.Context(), by, id, "good enough")
		},
		"discard": func(w *world, id string) (dataset.Ingestion, error) {
			return w.Discard(w.t.Context(), by, id, "nonsense")
		},
		"resubmit": func(w *world, id string) (dataset.Ingestion, error) {
			key := w.put("a-mended.csv", "prompt,completion\na,b\nc,d\n")
			return w.Resubmit(w.t.Context(), by, id, key, 0, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			ing := w.check("a.csv", mostlyBad)
			require.Equal(t, dataset.Quarantined, ing.Status)
			require.Equal(t, "prompt,completion,error\n"+
				"c,\"csv.columns: expected 2 fields, found 1\"\n"+
				"d,\"csv.columns: expected 2 fields, found 1\"\n"+
				"\"x,\"csv.quote: expected fields with quotes inside to be quoted, and quotes doubled, found a quote that is never closed\"\n"+
				"y,\"csv.columns: expected 2 fields, found 1\"\n", w.rejects(ing.ID))
			require.NoError(t, w.AwaitDecision(t.Context(), ing.ID, "token-1"))
			require.Empty(t, w.flow.answers)
			_, err := w.Publish(t.Context(), ing.ID)
			require.Equal(t, errs.Conflict, errs.CodeOf(err))

			_, err = decide(w, ing.ID)
			require.NoError(t, err)
			want := dataset.Discarded
			if name == "publish valid" {
				want = dataset.Publishing
				v, err := w.Publish(t.Context(), ing.ID)
				require.NoError(t, err)
				require.Equal(t, 1, v.Rows)
			}
			require.Equal(t, map[string]any{"token-1": dataset.Decision{Status: want}}, w.flow.answers)
			require.NoError(t, w.AwaitDecision(t.Context(), ing.ID, "token-2"))
			require.Contains(t, w.flow.answers, "token-2", "an execution that comes late is told at once")
			_, err = decide(w, ing.ID)
			if name != "resubmit" {
				require.Equal(t, errs.Conflict, errs.CodeOf(err))
			}
		})
	}
}

func TestService_Quarantine_WholeFiles(t *testing.T) {
	w := newWorld(t, nil)
	for name, content := range map[string]string{
		"empty.jsonl": "\n", "header.csv": "prompt,completion\n", "wrong.csv": "a,b\n1,2\n", "half.jsonl.gz": zipped(pairs("a", 900))[:2000],
	} {
		ing := w.check(name, content)
		require.Equal(t, dataset.Quarantined, ing.Status, name)
		require.Equal(t, int64(0), ing.Errors[0].Examples[0].Line, name)
		_, err := w.PublishValid(t.Context(), by, ing.ID, "")
		if name == "half.jsonl.gz" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, errs.Precondition, errs.CodeOf(err), name)
	}
}

func TestService_Check_QuarantineFilesCanBeMendedAndSentAgain(t *testing.T) {
	w := newWorld(t, nil)
	ing := w.check("a.jsonl", faulty)
	mended := strings.ReplaceAll(w.rejects(ing.ID), `"completion":""`, `"completion":"mended"`)
	again := w.check("a2.jsonl", mended)
	require.Equal(t, dataset.Counts{Rows: 3, Accepted: 1, Overlaps: 1, Rejected: 2}, again.Counts)
}

func TestService_Fail_AndRetry(t *testing.T) {
	w := newWorld(t, nil)
	ing := w.arrive("a.jsonl", pairs("a", 1))
	failed, err := w.Fail(t.Context(), ing.ID, "Unavailable: the disk is full")
	require.NoError(t, err)
	require.Equal(t, dataset.Failed, failed.Status)
	_, err = w.Check(t.Context(), ing.ID)
	require.ErrorContains(t, err, "the disk is full")
	_, err = w.Retry(t.Context(), by, ing.ID)
	require.NoError(t, err)
	require.Equal(t, map[string]int{ing.ID + "-1": 1, ing.ID + "-2": 1}, w.flow.started)
	_, err = w.Check(t.Context(), ing.ID)
	require.NoError(t, err)
	v, err := w.Publish(t.Context(), ing.ID)
	require.NoError(t, err)
	require.Equal(t, 1, v.Number)
}

func TestService_Publish_ChecksAgainWhenTheDatasetMovedOn(t *testing.T) {
	w := newWorld(t, nil)
	a := w.check("a.jsonl", pairs("x", 4))
	b := w.check("b.jsonl", pairs("x", 2)+pairs("y", 2))
	first, err := w.Publish(t.Context(), a.ID)
	require.NoError(t, err)
	second, err := w.Publish(t.Context(), b.ID)
	require.NoError(t, err)
	require.Equal(t, []int{4, 6, 2}, []int{first.Rows, second.Rows, second.Added})
	require.Equal(t, dataset.Counts{Rows: 4, Accepted: 2, Duplicates: 2}, w.ingestion(b.ID).Counts)
}

func TestService_Retract_TakesBackWhatTheVersionBroughtIn(t *testing.T) {
	w := newWorld(t, nil)
	w.add("a.jsonl", pairs("a", 2))
	w.add("b.jsonl", pairs("b", 3))
	w.add("c.jsonl", pairs("c", 4))
	v, err := w.Retract(t.Context(), by, "support", 2, "poisoned")
	require.NoError(t, err)
	require.Equal(t, dataset.VersionRetracted, v.Status)
	latest, err := w.Latest(t.Context(), "support")
	require.NoError(t, err)
	require.Equal(t, []int{4, 6, 0}, []int{latest.Number, latest.Rows, latest.Added})
	require.Equal(t, map[string]int{"a": 2, "c": 4}, latest.Stats.Topics)

	back := w.add("b2.jsonl", pairs("b", 3))
	require.Equal(t, []int{5, 9}, []int{back.Number, back.Rows}, "retracted rows are no duplicates")
	_, err = w.Retract(t.Context(), by, "support", 5, "again")
	require.NoError(t, err)
	latest, err = w.Latest(t.Context(), "support")
	require.NoError(t, err)
	require.Equal(t, 4, latest.Number, "an older version holds just what is left")

	for _, n := range []int{1, 6} {
		_, err = w.Retract(t.Context(), by, "support", n, "all of it")
		require.NoError(t, err)
	}
	_, err = w.Latest(t.Context(), "support")
	require.Equal(t, errs.NotFound, errs.CodeOf(err))
	_, err = w.Retract(t.Context(), by, "support", 1, "")
	require.Equal(t, errs.Invalid, errs.CodeOf(err))
}

func TestService_Lineage_LeadsFromTheFileToTheVersionsAndBack(t *testing.T) {
	w := newWorld(t, func(d *dataset.Deps) { d.Policy.ShardRows = 1 })
	first := w.add("a.jsonl", pairs("a", 60))
	second := w.add("b.jsonl", pairs("b", 1))
	g := lineage.Graph{Table: w.table}
	impact, err := g.BlastRadius(t.Context(), lineage.Node{Type: lineage.Object, ID: "incoming/support/a.jsonl"})
	require.NoError(t, err)
	require.Equal(t, []string{"ing_000001"}, impact.Reached[lineage.Ingestion])
	require.Equal(t, []string{"support@1", "support@2"}, impact.Reached[lineage.DatasetVersion])
	require.Len(t, impact.Reached[lineage.Shard], 60)

	back, err := g.Walk(t.Context(), lineage.VersionNode("support", 2), lineage.Backward, 0)
	require.NoError(t, err)
	require.Contains(t, back.Nodes, lineage.Node{Type: lineage.Object, ID: "incoming/support/b.jsonl"})
	require.Len(t, back.Nodes, 2+61+2+2)

	_, err = w.Retract(t.Context(), by, "support", 1, "poisoned")
	require.NoError(t, err)
	impact, err = g.BlastRadius(t.Context(), lineage.Node{Type: lineage.Shard, ID: second.Shards[60].SHA256})
	require.NoError(t, err)
	require.Equal(t, []string{"support@2", "support@3"}, impact.Reached[lineage.DatasetVersion])
	impact, err = g.BlastRadius(t.Context(), lineage.Node{Type: lineage.Shard, ID: first.Shards[0].SHA256})
	require.NoError(t, err)
	require.NotContains(t, impact.Reached[lineage.DatasetVersion], "support@3")
}

func TestService_Diff(t *testing.T) {
	w := newWorld(t, nil)
	w.add("a.jsonl", pairs("a", 30)+`{"prompt":"Who?","completion":"Ann"}`)
	w.add("b.jsonl", pairs("b", 2)+`{"prompt":"Who?","completion":"Bob"}`)
	d, err := w.Diff(t.Context(), "support", 1, 2)
	require.NoError(t, err)
	require.Equal(t, []int{3, 0, 31}, []int{d.Added, d.Removed, d.Unchanged})
	require.Len(t, d.ExamplesAdded, 3)
	require.Equal(t, map[string]int{"b": 2}, d.Topics)

	_, err = w.Retract(t.Context(), by, "support", 1, "wrong answers")
	require.NoError(t, err)
	d, err = w.Diff(t.Context(), "support", 1, 3)
	require.NoError(t, err)
	require.Equal(t, []int{3, 31, 1, 0}, []int{d.Added, d.Removed, d.Changed, d.Unchanged})
	require.Len(t, d.ExamplesRemoved, 20)
	require.Contains(t, string(d.ExamplesAdded[2].Body), "Bob")
}

func TestService_Sample_IsOfTheWholeVersionAndRepeats(t *testing.T) {
	w := newWorld(t, func(d *dataset.Deps) { d.Policy.ShardRows = 10 })
	w.add("a.jsonl", pairs("a", 95))
	first, err := w.Sample(t.Context(), "support", 1, 40, 7)
	require.NoError(t, err)
	again, err := w.Sample(t.Context(), "support", 1, 40, 7)
	require.NoError(t, err)
	other, err := w.Sample(t.Context(), "support", 1, 40, 8)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
	require.Len(t, first, 40)
	shards := map[string]bool{}
	for _, r := range first {
		shards[r.Shard] = true
	}
	require.Greater(t, len(shards), 5)
	all, err := w.Sample(t.Context(), "support", 1, 200, 1)
	require.NoError(t, err)
	require.Len(t, all, 95)
}

func TestService_CreateDataset_Refuses(t *testing.T) {
	w := newWorld(t, nil)
	for id, code := range map[string]errs.Code{"support": errs.Conflict, "A b": errs.Invalid, "": errs.Invalid} {
		_, err := w.CreateDataset(t.Context(), audit.System("test"), dataset.Dataset{ID: id})
		require.Equal(t, code, errs.CodeOf(err), id)
	}
}

func TestService_Sweep_StartsAndAnswersWhatACrashLeft(t *testing.T) {
	w := newWorld(t, nil)
	w.deps.Workflow = nil
	w.open()
	late := w.arrive("late.jsonl", pairs("a", 1))
	bad := w.check("bad.csv", mostlyBad)
	require.NoError(t, w.AwaitDecision(t.Context(), bad.ID, "token"))
	_, err := w.Discard(t.Context(), by, bad.ID, "")
	require.NoError(t, err)

	w.deps.Workflow = w.flow
	w.open()
	for range 2 {
		require.NoError(t, w.Sweep(t.Context()))
		require.Equal(t, map[string]int{late.ID + "-1": 1}, w.flow.started)
		require.Equal(t, map[string]any{"token": dataset.Decision{Status: dataset.Discarded}}, w.flow.answers)
	}
	_, err = w.Fail(t.Context(), late.ID, "Internal: a fault")
	require.NoError(t, err)
	require.NoError(t, w.Sweep(t.Context()))
	page, err := w.table.Query(t.Context(), table.Query{PK: "OPEN#INGESTIONS"})
	require.NoError(t, err)
	require.Empty(t, page.Items, "nothing is left to look after")
	_, err = w.Retry(t.Context(), by, late.ID)
	require.NoError(t, err)
	page, err = w.table.Query(t.Context(), table.Query{PK: "OPEN#INGESTIONS"})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
}
