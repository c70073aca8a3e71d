package files_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/object"
)

// TestStore_DoesAsAMap holds the store to a map over random keys: names that collide with folders,
// suffixes of the layout, percent signs, any script.
func TestStore_DoesAsAMap(t *testing.T) {
	segment := rapid.OneOf(rapid.SampledFrom([]string{"a", "a%o", "%", "%25", "a%25o", "a-b", "a0", "é", "x y"}), rapid.StringN(1, 8, 60))
	keys := rapid.Custom(func(r *rapid.T) string {
		return strings.Join(rapid.SliceOfN(segment, 1, 3).Draw(r, "segments"), "/")
	})
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		require.NoError(r, err)
		s, err := files.Open(dir)
		require.NoError(r, err)
		model := map[string]string{}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			step(t.Context(), r, s, model, keys.Draw(r, "key"))
		}
		prefix, start := keys.Draw(r, "prefix")[:1], keys.Draw(r, "start")
		require.Equal(r, expected(model, "", ""), listed(t.Context(), r, s, "", ""))
		require.Equal(r, expected(model, prefix, start), listed(t.Context(), r, s, prefix, start))
	})
}

func step(ctx context.Context, r *rapid.T, s *files.Store, model map[string]string, key string) {
	if object.CheckKey(key) != nil {
		_, err := s.Put(ctx, key, strings.NewReader(""), object.PutOptions{})
		require.Equal(r, errs.Invalid, errs.CodeOf(err))
		return
	}
	if rapid.IntRange(0, 3).Draw(r, "delete") == 0 {
		require.NoError(r, s.Delete(ctx, key))
		delete(model, key)
	} else {
		content := rapid.String().Draw(r, "content")
		_, err := s.Put(ctx, key, strings.NewReader(content), object.PutOptions{})
		require.NoError(r, err)
		model[key] = content
	}
	body, _, err := s.Get(ctx, key, 0)
	want, there := model[key]
	require.Equal(r, there, err == nil, "%v", err)
	if there {
		raw, err := io.ReadAll(body)
		require.NoError(r, errors.Join(err, body.Close()))
		require.Equal(r, want, string(raw))
	}
}

func expected(model map[string]string, prefix, start string) []string {
	want := []string{}
	for _, key := range slices.Sorted(maps.Keys(model)) {
		if strings.HasPrefix(key, prefix) && key > start {
			want = append(want, key)
		}
	}
	return want
}

func listed(ctx context.Context, r *rapid.T, s *files.Store, prefix, start string) []string {
	infos, err := s.List(ctx, prefix, start, 0)
	require.NoError(r, err)
	keys := []string{}
	for _, info := range infos {
		keys = append(keys, info.Key)
	}
	return keys
}

// crashFolder names the variable that makes this test binary the process to be killed.
const crashFolder = "PERENNIAL_TEST_CRASH_FOLDER"

func TestMain(m *testing.M) {
	dir := os.Getenv(crashFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	err := error(nil)
	if at, given := os.LookupEnv(crashStep); given {
		n, _ := strconv.Atoi(at)
		err = writeAndDie(dir, n)
	} else {
		err = putForever(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// content of version n is n lines of its own number, so that a part of it can be told from the whole.
func content(n int) string { return strings.Repeat(fmt.Sprintf("%06d\n", n), 20000+n) }

func putForever(dir string) error {
	s, err := files.Open(dir)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if _, err := s.Put(context.Background(), "model/weights", strings.NewReader(content(n)), object.PutOptions{}); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestStore_SurvivesSIGKILL kills a process in the middle of writing: the object is always whole, and
// never older than what was acknowledged.
func TestStore_SurvivesSIGKILL(t *testing.T) {
	dir := t.TempDir()
	for round := range 6 {
		acknowledged := killAfter(t, dir, 3+5*round)
		s := open(t, dir)
		body, info, err := s.Get(t.Context(), "model/weights", 0)
		require.NoError(t, err)
		raw, err := io.ReadAll(body)
		require.NoError(t, errors.Join(err, body.Close()), "the content has its digest")
		var n int
		_, err = fmt.Sscanf(string(raw[:6]), "%d", &n)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, acknowledged)
		require.Equal(t, content(n), string(raw))
		require.Equal(t, int64(len(raw)), info.Size)
		require.NoError(t, s.Delete(t.Context(), "model/weights"))
		require.Empty(t, onDisk(t, dir), "nothing is left over")
	}
}

// killAfter runs the writer until it acknowledged so many versions and kills it then.
func killAfter(t *testing.T, dir string, versions int) (acknowledged int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashFolder+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for range versions {
		require.True(t, lines.Scan(), "the writer ended by itself")
		_, err := fmt.Sscan(lines.Text(), &acknowledged)
		require.NoError(t, err)
	}
	require.NoError(t, cmd.Process.Kill())
	for lines.Scan() { // said before the kill arrived
		_, _ = fmt.Sscan(lines.Text(), &acknowledged)
	}
	require.Error(t, cmd.Wait())
	return acknowledged
}
