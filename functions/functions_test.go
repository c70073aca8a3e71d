// Package functions_test holds the rules for the mains below it.
package functions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMains_AreShortAndServeTheirOwnName(t *testing.T) {
	mains, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(mains), 24, "the glob sees the functions")
	for _, path := range mains {
		name := filepath.Base(filepath.Dir(path))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.LessOrEqual(t, strings.Count(string(b), "\n"), 40, path)
		if name != "api" {
			require.Contains(t, string(b), `("`+name+`")`, path)
		}
		require.Contains(t, string(b), "// Command "+name+" ", path)
	}
}
