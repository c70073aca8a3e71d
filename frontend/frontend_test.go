package frontend_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/frontend"
)

func TestAssets_NothingBuilt(t *testing.T) {
	t.Setenv("PERENNIAL_WEB", t.TempDir())
	if assets, ok := frontend.Assets(); ok {
		_, err := fs.Stat(assets, "index.html") // a binary with the app inside needs no folder
		require.NoError(t, err)
	}
}

func TestAssets_FolderNamedByEnvironment(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.html"), []byte("<!doctype html>"), 0o600))
	t.Setenv("PERENNIAL_WEB", dir)
	assets, ok := frontend.Assets()
	require.True(t, ok)
	_, err := fs.Stat(assets, "index.html")
	require.NoError(t, err)
}
