package files_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/object"
)

// crashStep names the variable with the number of the step after which the process kills itself.
const crashStep = "PERENNIAL_TEST_CRASH_STEP"

// writeAndDie does one of each kind of write and is killed on the way, after a step of a write.
func writeAndDie(dir string, at int) error {
	left := at
	s, err := files.Open(dir, files.Steps(func(step string) {
		if left--; left == 0 {
			fmt.Println("killed after", step)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}))
	if err != nil {
		return err
	}
	ctx, none := context.Background(), object.PutOptions{}
	_, perr := s.Put(ctx, "new/key", strings.NewReader(content(2)), none)
	_, rerr := s.Put(ctx, "replaced", strings.NewReader(content(2)), none)
	return errors.Join(perr, rerr, s.Delete(ctx, "deleted"), uploadTwoParts(ctx, s))
}

func uploadTwoParts(ctx context.Context, s *files.Store) error {
	id, err := s.Create(ctx, "uploaded")
	if err != nil {
		return err
	}
	var parts []object.Part
	for n, part := range [][]byte{bytes.Repeat([]byte("x"), object.MinPart), []byte("tail")} {
		p, err := s.PutPart(ctx, "uploaded", id, n+1, bytes.NewReader(part))
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	_, err = s.Complete(ctx, "uploaded", id, parts, object.PutOptions{})
	return err
}

// TestStore_KilledAfterEachStep kills a writer after every single step of its writes: each object is
// as before or as after, and whole.
func TestStore_KilledAfterEachStep(t *testing.T) {
	whole := strings.Repeat("x", object.MinPart) + "tail"
	allowed := map[string][]string{
		"new/key": {"", content(2)}, "replaced": {content(1), content(2)}, "deleted": {content(1), ""}, "uploaded": {"", whole},
	}
	seen := map[string]bool{}
	for at := 1; ; at++ {
		dir := t.TempDir()
		before := open(t, dir)
		put(t, before, "replaced", content(1))
		put(t, before, "deleted", content(1))
		killed := dieAt(t, dir, at)
		s := open(t, dir)
		for key, contents := range allowed {
			got := readOr(t, s, key)
			require.Contains(t, contents, got, "%s after step %d (%s)", key, at, killed)
			if killed == "" {
				require.Equal(t, contents[1], got)
			}
		}
		put(t, s, "new/key", content(3))
		require.Equal(t, content(3), readOr(t, s, "new/key"), "writing goes on")
		if killed == "" {
			break
		}
		seen[killed] = true
	}
	require.GreaterOrEqual(t, len(seen), 10, "%v", seen)
}

// dieAt runs the writer and gives the step after which it was killed; empty when it came to its end.
func dieAt(t *testing.T, dir string, at int) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashFolder+"="+dir, crashStep+"="+strconv.Itoa(at))
	out, err := cmd.CombinedOutput()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	if status.Signaled() {
		return strings.TrimPrefix(strings.TrimSpace(string(out)), "killed after ")
	}
	require.NoError(t, err, string(out))
	return ""
}

// readOr gives the content of an object, which must be whole, or nothing when it is absent.
func readOr(t *testing.T, s *files.Store, key string) string {
	r, info, err := s.Get(t.Context(), key, 0)
	if errs.Is(err, errs.NotFound) {
		return ""
	}
	require.NoError(t, err)
	raw, err := io.ReadAll(r)
	require.NoError(t, errors.Join(err, r.Close()))
	require.Equal(t, int64(len(raw)), info.Size)
	return string(raw)
}
