package dataset_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

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

// Tables too, zipped or not: the error column is ignored when the mended file comes back, quotes survive.
func TestService_Check_QuarantinedTablesCanBeMendedAndSentAgain(t *testing.T) {
	const table = "prompt,completion,topic\n\"Where, exactly?\",\"In \"\"Bremen\"\".\",place\n\"Who, and\nwhen?\",,people\nWhat?,,\n"
	for name, pack := range map[string]func(string) string{"a.csv": func(s string) string { return s }, "a.csv.gz": zipped} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			ing := w.check(name, pack(table))
			require.Equal(t, dataset.Counts{Rows: 3, Accepted: 1, Rejected: 2}, ing.Counts)
			rejected := w.rejects(ing.ID)
			require.Contains(t, rejected, "prompt,completion,topic,error\n\"Who, and\nwhen?\",,people,\"row.empty-completion: ")
			require.Equal(t, dataset.Counts{Rows: 2, Rejected: 2}, w.check("same-"+name, pack(rejected)).Counts, "not mended, not admitted")
			mended := strings.NewReplacer(`when?",,`, `when?","Ann, at nine",`, "What?,,", "What?,That.,").Replace(rejected)
			v := w.add("mended-"+name, pack(mended))
			require.Equal(t, 2, v.Added)
			rows := w.lines(v)
			require.Equal(t, "Who, and\nwhen?", rows[0]["prompt"])
			require.Equal(t, "Ann, at nine", rows[0]["completion"])
			require.NotContains(t, fmt.Sprint(rows), "row.empty-completion", "the error is not learned")
		})
	}
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

func TestService_Reconcile_LetsInWhatNobodyToldOf(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.CreateSource(t.Context(), by, dataset.Source{ID: "paused", Dataset: "support"})
	require.NoError(t, err)
	known := w.arrive("known.jsonl", pairs("a", 1))
	w.put("lost.jsonl", pairs("b", 1))
	w.put("paused/x.jsonl", pairs("b", 1))
	_, err = w.objects.Put(t.Context(), "incoming/elsewhere/x.jsonl", strings.NewReader(""), object.PutOptions{})
	require.NoError(t, err)
	for i, want := range []int{1, 0} {
		n, err := w.Reconcile(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, n, "time %d", i+1)
	}
	all, _, err := w.Ingestions(t.Context(), dataset.Filter{})
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "lost.jsonl", all[0].Name)
	require.Equal(t, known.ID, all[1].ID)
}
