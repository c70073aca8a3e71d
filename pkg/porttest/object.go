package porttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// ObjectStore is all that a store of objects can do.
type ObjectStore interface {
	object.Store
	object.Uploads
	object.PartLister
	object.Versions
}

// Object is the conformance suite of the object ports. The store given is empty and keeps versions.
func Object(t *testing.T, open func(t *testing.T) ObjectStore) {
	cases := map[string]func(*testing.T, *objects){
		"Put and Get":          putGet,
		"Put/replaces":         putReplacesObject,
		"Put/only if absent":   putIfAbsent,
		"Put/digest":           putDigest,
		"Put/failing reader":   putFailing,
		"Put/one winner":       putOneWinner,
		"Get/offsets":          getOffsets,
		"Get/absent":           getAbsentObject,
		"Delete":               deleteObject,
		"List":                 listObjects,
		"List/file and folder": listFileAndFolder,
		"Keys":                 badKeys,
		"Keys/unusual":         unusualKeys,
		"Versions":             objectVersions,
		"Upload":               upload,
		"Upload/resumed":       uploadResumed,
		"Upload/unread":        uploadUnread,
		"Upload/refused":       uploadRefused,
		"Upload/conditions":    uploadConditions,
		"Upload/aborted":       uploadAborted,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) { run(t, &objects{T: t, ObjectStore: open(t)}) })
	}
}

type objects struct {
	*testing.T
	ObjectStore
}

func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

func (o *objects) put(key, content string) object.Info {
	o.Helper()
	info, err := o.Put(o.Context(), key, strings.NewReader(content), object.PutOptions{})
	require.NoError(o, err)
	return info
}

func (o *objects) read(key string, offset int64) (string, object.Info) {
	o.Helper()
	r, info, err := o.Get(o.Context(), key, offset)
	require.NoError(o, err)
	return o.drain(r), info
}

func (o *objects) drain(r io.ReadCloser) string {
	o.Helper()
	raw, err := io.ReadAll(r)
	require.NoError(o, err)
	require.NoError(o, r.Close())
	return string(raw)
}

func (o *objects) keys(prefix, start string, limit int) []string {
	o.Helper()
	infos, err := o.List(o.Context(), prefix, start, limit)
	require.NoError(o, err)
	keys := make([]string, len(infos))
	for i, info := range infos {
		keys[i] = info.Key
	}
	return keys
}

func (o *objects) code(want errs.Code, err error) {
	o.Helper()
	require.Equal(o, want, errs.CodeOf(err), "%v", err)
}

func putGet(t *testing.T, o *objects) {
	for key, content := range map[string]string{"a": "hello", "deep/er/key.jsonl": strings.Repeat("x", 1<<20), "empty": ""} {
		put := o.put(key, content)
		got, info := o.read(key, 0)
		require.Equal(t, content, got)
		for _, i := range []object.Info{put, info} {
			require.Equal(t, key, i.Key)
			require.Equal(t, int64(len(content)), i.Size)
			require.Equal(t, digestOf(content), i.SHA256)
			require.NotEmpty(t, i.Version)
		}
		require.False(t, info.Modified.IsZero())
		require.Equal(t, put.Version, info.Version)
	}
}

func putReplacesObject(t *testing.T, o *objects) {
	first, second := o.put("k", "first"), o.put("k", "second")
	require.NotEqual(t, first.Version, second.Version)
	got, _ := o.read("k", 0)
	require.Equal(t, "second", got)
	require.Equal(t, []string{"k"}, o.keys("", "", 0))
}

func putIfAbsent(t *testing.T, o *objects) {
	absent := object.PutOptions{IfAbsent: true}
	_, err := o.Put(t.Context(), "k", strings.NewReader("first"), absent)
	require.NoError(t, err)
	_, err = o.Put(t.Context(), "k", strings.NewReader("second"), absent)
	o.code(errs.Conflict, err)
	got, _ := o.read("k", 0)
	require.Equal(t, "first", got)
	require.NoError(t, o.Delete(t.Context(), "k"))
	_, err = o.Put(t.Context(), "k", strings.NewReader("third"), absent)
	require.NoError(t, err)
}

func putDigest(t *testing.T, o *objects) {
	_, err := o.Put(t.Context(), "k", strings.NewReader("content"), object.PutOptions{SHA256: digestOf("other")})
	o.code(errs.Invalid, err)
	_, _, err = o.Get(t.Context(), "k", 0)
	o.code(errs.NotFound, err)
	_, err = o.Put(t.Context(), "k", strings.NewReader("content"), object.PutOptions{SHA256: digestOf("content")})
	require.NoError(t, err)
}

// putFailing shows that half a content is never visible.
func putFailing(t *testing.T, o *objects) {
	o.put("k", "old")
	lost := errors.New("connection lost")
	half := func() io.Reader { return io.MultiReader(strings.NewReader("half"), failing{lost}) }
	for _, key := range []string{"k", "new"} {
		_, err := o.Put(t.Context(), key, half(), object.PutOptions{})
		require.ErrorIs(t, err, lost)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := o.Put(canceled, "new", strings.NewReader("x"), object.PutOptions{})
	require.ErrorIs(t, err, context.Canceled)
	got, _ := o.read("k", 0)
	require.Equal(t, "old", got)
	require.Equal(t, []string{"k"}, o.keys("", "", 0))
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func putOneWinner(t *testing.T, o *objects) {
	won := make(chan string, 8)
	(&fixture{T: t}).inParallel(8, func(i int) {
		content := fmt.Sprint("writer ", i)
		_, err := o.Put(t.Context(), "k", strings.NewReader(content), object.PutOptions{IfAbsent: true})
		if err == nil {
			won <- content
			return
		}
		require.Equal(t, errs.Conflict, errs.CodeOf(err))
	})
	close(won)
	require.Len(t, won, 1)
	got, _ := o.read("k", 0)
	require.Equal(t, <-won, got)
}

func getOffsets(t *testing.T, o *objects) {
	o.put("k", "0123456789")
	o.put("empty", "")
	for offset, want := range map[int64]string{0: "0123456789", 3: "3456789", 9: "9", 10: ""} {
		got, info := o.read("k", offset)
		require.Equal(t, want, got)
		require.Equal(t, int64(10), info.Size, "the size is that of the whole")
		require.Equal(t, digestOf("0123456789"), info.SHA256)
	}
	got, _ := o.read("empty", 0)
	require.Empty(t, got)
	for _, offset := range []int64{-1, 11} {
		_, _, err := o.Get(t.Context(), "k", offset)
		o.code(errs.Invalid, err)
	}
}

func getAbsentObject(t *testing.T, o *objects) {
	o.put("folder/k", "x")
	for _, key := range []string{"k", "folder", "folder/k/x"} {
		for _, offset := range []int64{0, 5} {
			_, _, err := o.Get(t.Context(), key, offset)
			o.code(errs.NotFound, err)
		}
	}
}

func deleteObject(t *testing.T, o *objects) {
	require.NoError(t, o.Delete(t.Context(), "k"))
	o.put("k", "x")
	o.put("k/below", "y")
	for range 2 {
		require.NoError(t, o.Delete(t.Context(), "k"))
	}
	_, _, err := o.Get(t.Context(), "k", 0)
	o.code(errs.NotFound, err)
	require.Equal(t, []string{"k/below"}, o.keys("", "", 0))
}

func listObjects(t *testing.T, o *objects) {
	want := []string{"B", "a", "a-b", "a/b", "a/b/c", "a/c", "a0", "ab", "b/x", "é"} // by bytes
	for i := range want {
		o.put(want[len(want)-1-i], fmt.Sprint(i))
	}
	require.Equal(t, want, o.keys("", "", 0))
	require.Equal(t, []string{"a", "a-b", "a/b", "a/b/c", "a/c", "a0", "ab"}, o.keys("a", "", 0))
	require.Equal(t, []string{"a/b", "a/b/c", "a/c"}, o.keys("a/", "", 0))
	require.Equal(t, []string{"a/b/c"}, o.keys("a/b/", "", 0))
	require.Empty(t, o.keys("none", "", 0))
	require.Equal(t, []string{"a/b/c", "a/c", "a0"}, o.keys("", "a/b", 3))
	require.Equal(t, []string{"a/c"}, o.keys("a/", "a/b/zzz", 5))
	var paged []string
	for start := ""; ; start = paged[len(paged)-1] {
		page := o.keys("", start, 3)
		if paged = append(paged, page...); len(page) < 3 {
			break
		}
	}
	require.Equal(t, want, paged)
	infos, err := o.List(t.Context(), "é", "", 1)
	require.NoError(t, err)
	require.Equal(t, int64(1), infos[0].Size)
}

func listFileAndFolder(t *testing.T, o *objects) {
	o.put("a", "file")
	o.put("a/a", "below")
	o.put("a/a/a", "further below")
	require.Equal(t, []string{"a", "a/a", "a/a/a"}, o.keys("", "", 0))
	got, _ := o.read("a/a", 0)
	require.Equal(t, "below", got)
}

func badKeys(t *testing.T, o *objects) {
	for _, key := range []string{
		"", "/", "/etc/passwd", "a//b", "a/", "..", "../x", "a/../../x", "a/./b", ".", "a\x00b", "a\nb", "\xff",
		strings.Repeat("k", 241), strings.Repeat("long/", 210), strings.Repeat("%", 81),
	} {
		_, err := o.Put(t.Context(), key, strings.NewReader("x"), object.PutOptions{})
		o.code(errs.Invalid, err)
		_, _, err = o.Get(t.Context(), key, 0)
		o.code(errs.Invalid, err)
		o.code(errs.Invalid, o.Delete(t.Context(), key))
		_, err = o.Create(t.Context(), key)
		o.code(errs.Invalid, err)
		_, err = o.Versions(t.Context(), key)
		o.code(errs.Invalid, err)
	}
	require.Empty(t, o.keys("", "", 0))
}

func unusualKeys(t *testing.T, o *objects) {
	for _, key := range []string{
		"a b", "ü/日本", "%", "%25", "a%o", "a%o/b", "a%2F", "...", "-", "~x", "a+b=c&d?e#f", "'quotes\"", `back\slash`,
		strings.Repeat("k", 240), strings.Repeat("ab/", 341) + "c",
	} {
		o.put(key, key)
		got, info := o.read(key, 0)
		require.Equal(t, key, got)
		require.Equal(t, key, info.Key)
		require.Equal(t, []string{key}, o.keys(key, "", 1))
	}
}
