package tasks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/tasks"
)

// datasetTasks gives the tasks over a table in memory and objects in files, with dataset "support".
func datasetTasks(t *testing.T) (tasks.Dataset, object.Store) {
	clock := porttest.NewClock().Now
	table := porttest.NewMemory(clock)
	objects, err := files.Open(t.TempDir(), files.KeepVersions)
	require.NoError(t, err)
	s := dataset.New(dataset.Deps{Table: table, Log: audit.NewLog(table, clock, ids.Sequence()), Objects: objects,
		Clock: clock, IDs: ids.Sequence()})
	_, err = s.CreateDataset(t.Context(), audit.System("test"), dataset.Dataset{ID: "support"})
	require.NoError(t, err)
	return tasks.Dataset{Service: s}, objects
}

// call invokes a function by name with an input of JSON and decodes its answer.
func call[Out any](t *testing.T, d tasks.Dataset, name, input string) (out Out, err error) {
	answer, err := d.Handlers()[name].Invoke(t.Context(), []byte(input))
	if err == nil {
		require.NoError(t, json.Unmarshal(answer, &out))
	}
	return out, err
}

func TestDataset_FromTheS3EventToTheVersion(t *testing.T) {
	d, objects := datasetTasks(t)
	info, err := objects.Put(t.Context(), "incoming/support/a b.jsonl",
		strings.NewReader(`{"text":"one"}`+"\n"+`{"text":"two"}`+"\n"), object.PutOptions{})
	require.NoError(t, err)
	event := `{"version":"0","id":"u","detail-type":"Object Created","source":"aws.s3","detail":{"version":"0",
		"bucket":{"name":"b"},"object":{"key":"incoming/support/a b.jsonl","size":30,"etag":"e","version-id":"` + info.Version + `",
		"sequencer":"61"},"reason":"PutObject"}}`
	first, err := call[tasks.Registered](t, d, "dataset-register", event)
	require.NoError(t, err)
	again, err := call[tasks.Registered](t, d, "dataset-register", event)
	require.NoError(t, err)
	require.Equal(t, first, again, "events come at least once")

	_, err = objects.Put(t.Context(), "incoming/support/a b.jsonl", strings.NewReader("not rows"), object.PutOptions{})
	require.NoError(t, err)
	name := `{"ingestion":"` + first.Ingestion + `"}`
	out, err := call[dataset.Outcome](t, d, "dataset-check", name)
	require.NoError(t, err)
	require.Equal(t, dataset.Publishing, out.Status, "the version that arrived is checked, not the one that replaced it")
	v, err := call[tasks.PublishedVersion](t, d, "dataset-publish", name)
	require.NoError(t, err)
	require.Equal(t, tasks.PublishedVersion{Ingestion: first.Ingestion, Dataset: "support", Version: 1, Digest: v.Digest, Rows: 2, Added: 2}, v)
}

func TestDataset_Register_RefusesOtherObjects(t *testing.T) {
	d, _ := datasetTasks(t)
	for _, key := range []string{"shards/x", "incoming/x", "", "incoming//x"} {
		_, err := call[tasks.Registered](t, d, "dataset-register", `{"key":"`+key+`"}`)
		require.Equal(t, "Invalid", err.(messages.InvokeResponse_Error).Type, key)
	}
	_, err := call[tasks.Registered](t, d, "dataset-register", `{"key":"incoming/other/x","size":1,"version":"1"}`)
	require.Equal(t, "NotFound", err.(messages.InvokeResponse_Error).Type)
}

func TestDataset_Quarantine_MarksAFailureInWords(t *testing.T) {
	d, objects := datasetTasks(t)
	_, err := objects.Put(t.Context(), "incoming/support/a.jsonl", strings.NewReader(`{"text":"one"}`), object.PutOptions{})
	require.NoError(t, err)
	first, err := call[tasks.Registered](t, d, "dataset-register", `{"dataset":"support","key":"incoming/support/a.jsonl"}`)
	require.NoError(t, err)
	in, err := json.Marshal(map[string]string{"ingestion": first.Ingestion, "error": "Unavailable",
		"cause": `{"errorMessage":"the disk is full","errorType":"Unavailable"}`})
	require.NoError(t, err)
	_, err = call[tasks.Empty](t, d, "dataset-quarantine", string(in))
	require.NoError(t, err)
	ing, err := d.Service.Ingestion(t.Context(), first.Ingestion)
	require.NoError(t, err)
	require.Equal(t, dataset.Failed, ing.Status)
	require.Equal(t, "Unavailable: the disk is full", ing.Error)
}
