package suite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
	"github.com/perennial-llm/perennial/pkg/asl/jsonata/suite"
)

func TestRun_TellsWhatPassedAndWhatDidNot(t *testing.T) {
	dir := t.TempDir()
	write := func(path, text string) {
		full := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o750))
		require.NoError(t, os.WriteFile(full, []byte(text), 0o600))
	}
	write("datasets/d1.json", `{"a":[1,2]}`)
	write("groups/g/right.json", `{"expr":"$sum(a)","dataset":"d1","bindings":{},"result":3}`)
	write("groups/g/several.json", `[{"expr":"b","dataset":"d1","undefinedResult":true},{"expr":"1+","code":"S0207"},{"expr":"$x","bindings":{"x":null},"result":null}]`)
	write("groups/g/wrong.json", `[{"expr":"1","result":2},{"expr":"1","code":"T1"},{"expr":"$nope()","result":1}]`)
	write("groups/g/file.json", `{"expr-file":"e.jsonata","result":[2,1],"unordered":true}`)
	write("groups/g/e.jsonata", `[1,2]`)
	write("groups/g/half.json", `{"expr":"$encodeUrl('\\uD800\\n\\\\')","code":"D3140"}`)
	write("groups/g/deep.json", `{"expr":"($f := function($n){ 1 + $f($n) }; $f(1))","timelimit":1000,"depth":50,"code":"U1001"}`)
	r, err := suite.Run(dir, jsonata.NewPool(jsonata.Limits{}))
	require.NoError(t, err)
	require.Equal(t, 7, r.Passed)
	require.Equal(t, 10, r.Total)
	require.Len(t, r.Failed, 3)
	_, err = suite.Run(t.TempDir(), nil)
	require.Error(t, err)
}
