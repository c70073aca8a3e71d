package files_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

func TestStore_Conforms(t *testing.T) {
	porttest.Object(t, func(t *testing.T) porttest.ObjectStore {
		s, err := files.Open(t.TempDir(), files.KeepVersions)
		require.NoError(t, err)
		return s
	})
}

func open(t *testing.T, dir string) *files.Store {
	s, err := files.Open(dir)
	require.NoError(t, err)
	return s
}

func put(t *testing.T, s *files.Store, key, content string) object.Info {
	info, err := s.Put(t.Context(), key, strings.NewReader(content), object.PutOptions{})
	require.NoError(t, err)
	return info
}

// onDisk lists the regular files below a folder.
func onDisk(t *testing.T, dir string) (paths []string) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

func TestStore_WithoutVersions_KeepsOneFilePerObject(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	require.Empty(t, put(t, s, "k", "first").Version)
	put(t, s, "k", "second")
	require.Len(t, onDisk(t, dir), 1)
	require.NoError(t, s.Delete(t.Context(), "k"))
	require.Empty(t, onDisk(t, dir))
}

func TestStore_Path_CanBeHardLinked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "model/weights.bin", "weights")
	path, ok := s.Path("model/weights.bin")
	require.True(t, ok)
	linked := filepath.Join(dir, "linked")
	require.NoError(t, os.Link(path, linked))
	require.NoError(t, s.Delete(t.Context(), "model/weights.bin"))
	raw, err := os.ReadFile(linked)
	require.NoError(t, err)
	require.Equal(t, "weights", string(raw))
	for _, key := range []string{"none", "../x", ""} {
		_, ok = s.Path(key)
		require.False(t, ok)
	}
}

func TestStore_FindsDamage(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, "k", "content")
	path, _ := s.Path("k")
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.WriteFile(path, []byte("c0ntent"), 0o600))
	r, _, err := s.Get(t.Context(), "k", 0)
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	require.Equal(t, errs.Internal, errs.CodeOf(err))
	require.ErrorContains(t, err, "damaged")
	require.NoError(t, r.Close())
	r, _, err = s.Get(t.Context(), "k", 0)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, r)
	require.ErrorContains(t, err, "damaged")
	require.NoError(t, r.Close())
}

// TestStore_ReopenedAfterAKill meets what a kill may leave: temporary files, and an old version
// beside the new one.
func TestStore_ReopenedAfterAKill(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "k", "first")
	path, _ := s.Path("k")
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	put(t, s, "k", "second")
	require.NoError(t, os.WriteFile(path, old, 0o444))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "temp", "put-123"), []byte("ha"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "objects", "empty%o"), 0o700))

	s = open(t, dir)
	r, info, err := s.Get(t.Context(), "k", 0)
	require.NoError(t, err)
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Equal(t, "second", string(raw))
	require.Equal(t, int64(6), info.Size)
	infos, err := s.List(t.Context(), "", "", 0)
	require.NoError(t, err)
	require.Len(t, infos, 1)
	put(t, s, "k", "third")
	require.Len(t, onDisk(t, dir), 1, "nothing is left over")
}

func TestStore_SaysWhenTheFolderCannotBeUsed(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	_, err := files.Open(filepath.Join(blocked, "below"))
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
	require.ErrorContains(t, err, blocked)
}

func TestStore_TellsClientsWhatToDoAndNoPath(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "temp")))
	_, err := s.Put(t.Context(), "k", strings.NewReader("content"), object.PutOptions{})
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.EqualError(t, err, "make temporary file: no such file or directory (see that the platform's disk works and its folder is writable)")

	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	err = files.Copy(full, strings.NewReader("content"))
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
	require.EqualError(t, err, "write: the platform's disk is full (make room on it and try again)")
}

func BenchmarkStore_PutGet(b *testing.B) {
	s, err := files.Open(b.TempDir())
	require.NoError(b, err)
	content := strings.Repeat("x", 64<<10)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		_, err := s.Put(b.Context(), "k", strings.NewReader(content), object.PutOptions{})
		require.NoError(b, err)
		r, _, err := s.Get(b.Context(), "k", 0)
		require.NoError(b, err)
		_, err = io.Copy(io.Discard, r)
		require.NoError(b, err)
		require.NoError(b, r.Close())
	}
}
