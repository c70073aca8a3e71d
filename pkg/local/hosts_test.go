package local_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
	"github.com/perennial-llm/perennial/statemachines"
)

// Functions that something other than a machine calls.
var outside = map[string]bool{"DatasetRegister": true, "TriggerSweep": true}

// This host serves exactly the functions that the machines name: none is missing, none is dead.
func TestPlatform_ServesTheFunctionsOfTheMachines(t *testing.T) {
	p, err := local.Open(t.Context(), local.Options{Data: t.TempDir(), Code: "testdata/containers", Python: "python3"})
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close(t.Context())) }()
	named := map[string]bool{}
	for _, definition := range statemachines.All() {
		for _, m := range regexp.MustCompile(`\$\{(\w+)FunctionArn\}`).FindAllSubmatch(definition, -1) {
			named[string(m[1])] = true
		}
	}
	for _, id := range p.Functions() {
		require.True(t, named[id] || outside[id], "%s is served, but no machine calls it", id)
		delete(named, id)
	}
	require.Empty(t, named, "machines call functions that this host does not serve")
}

// Every service that the machines name is performed here: SageMaker's by the local one, functions and nested
// executions by the engine's host.
func TestPlatform_PerformsTheServicesOfTheMachines(t *testing.T) {
	objects, err := files.Open(t.TempDir())
	require.NoError(t, err)
	jobs, err := sagemaker.New(sagemaker.Config{Root: t.TempDir(), Objects: objects, Bucket: "b", Python: "python3"})
	require.NoError(t, err)
	performed := jobs.Integrations()
	seen := 0
	for name, definition := range statemachines.All() {
		for _, m := range regexp.MustCompile(`"Resource":\s*"([^"]+)"`).FindAllSubmatch(definition, -1) {
			seen++
			switch r := strings.TrimSuffix(string(m[1]), ".waitForTaskToken"); r {
			case "arn:aws:states:::lambda:invoke", "arn:aws:states:::states:startExecution.sync:2":
			default:
				require.Contains(t, performed, r, name)
			}
		}
	}
	require.Greater(t, seen, 20)
}

func TestOpen_RefusesAFolderInUse(t *testing.T) {
	dir := t.TempDir()
	o := local.Options{Data: dir, Code: "testdata/containers", Python: "python3"}
	p, err := local.Open(t.Context(), o)
	require.NoError(t, err)
	_, err = local.Open(t.Context(), o)
	require.ErrorContains(t, err, "another platform runs on "+dir)
	require.NoError(t, p.Close(t.Context()))
	p, err = local.Open(t.Context(), o)
	require.NoError(t, err)
	require.Empty(t, p.Password, "only the first start makes an admin")
	require.NoError(t, p.Close(t.Context()))
}

func TestOpen_RefusesAFolderThatLostItsRecords(t *testing.T) {
	dir := t.TempDir()
	o := local.Options{Data: dir, Code: "testdata/containers", Python: "python3"}
	p, err := local.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, p.Close(t.Context()))
	records, err := os.ReadFile(filepath.Join(dir, "perennial.db"))
	require.NoError(t, err)
	require.NoError(t, os.Truncate(filepath.Join(dir, "perennial.db"), 0))
	for range 2 {
		_, err = local.Open(t.Context(), o)
		require.ErrorContains(t, err, "the records of this platform are gone")
		require.ErrorContains(t, err, "from a backup")
	}
	for _, rest := range []string{"-wal", "-shm"} {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "perennial.db"+rest)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "perennial.db"), records, 0o600))
	p, err = local.Open(t.Context(), o)
	require.NoError(t, err)
	require.Empty(t, p.Password, "the accounts are back")
	require.NoError(t, p.Close(t.Context()))
}
