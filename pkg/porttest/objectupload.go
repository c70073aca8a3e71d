package porttest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// Content of three parts, the last of which is short.
var bigPart = bytes.Repeat([]byte("0123456789abcdef"), object.MinPart/16)

func (o *objects) begin(key string) string {
	o.Helper()
	id, err := o.Create(o.Context(), key)
	require.NoError(o, err)
	return id
}

func (o *objects) part(key, id string, number int, content []byte) object.Part {
	o.Helper()
	p, err := o.PutPart(o.Context(), key, id, number, bytes.NewReader(content))
	require.NoError(o, err)
	require.Equal(o, number, p.Number)
	require.Equal(o, int64(len(content)), p.Size)
	require.Equal(o, digestOf(string(content)), p.SHA256)
	return p
}

func upload(t *testing.T, o *objects) {
	id := o.begin("big/file")
	two := o.part("big/file", id, 2, []byte("tail"))
	one := o.part("big/file", id, 1, bigPart)
	require.Empty(t, o.keys("", "", 0), "nothing is visible before the end")
	info, err := o.Complete(t.Context(), "big/file", id, []object.Part{one, two}, object.PutOptions{})
	require.NoError(t, err)
	want := string(bigPart) + "tail"
	require.Equal(t, int64(len(want)), info.Size)
	require.Equal(t, digestOf(want), info.SHA256)
	got, read := o.read("big/file", int64(len(bigPart))-3)
	require.Equal(t, "deftail", got)
	require.Equal(t, info.SHA256, read.SHA256)
	_, err = o.PutPart(t.Context(), "big/file", id, 3, strings.NewReader("late"))
	o.code(errs.NotFound, err)
}

func uploadResumed(t *testing.T, o *objects) {
	id := o.begin("k")
	o.part("k", id, 1, []byte("wrong"))
	o.part("k", id, 1, bigPart)
	o.part("k", id, 3, []byte("tail"))
	parts, err := o.Parts(t.Context(), "k", id)
	require.NoError(t, err)
	require.Len(t, parts, 2, "a part sent again replaces the first")
	require.Equal(t, digestOf(string(bigPart)), parts[0].SHA256)
	require.Equal(t, 3, parts[1].Number)
	_, err = o.Complete(t.Context(), "k", id, parts, object.PutOptions{SHA256: digestOf(string(bigPart) + "tail")})
	require.NoError(t, err)
}

// uploadUnread: the digest may be missing, a wanted one may not be passed over.
func uploadUnread(t *testing.T, o *objects) {
	id := o.begin("k")
	parts := []object.Part{o.part("k", id, 1, []byte("content"))}
	info, err := o.Complete(t.Context(), "k", id, parts, object.PutOptions{Unread: true})
	require.NoError(t, err)
	require.Equal(t, int64(7), info.Size)
	require.NotEmpty(t, info.Version)
	require.Contains(t, []string{"", digestOf("content")}, info.SHA256)
	got, same := o.read("k", 0)
	require.Equal(t, "content", got)
	require.Equal(t, info.Version, same.Version)

	id = o.begin("other")
	parts = []object.Part{o.part("other", id, 1, []byte("content"))}
	_, err = o.Complete(t.Context(), "other", id, parts, object.PutOptions{Unread: true, SHA256: digestOf("c0ntent")})
	o.code(errs.Invalid, err)
}

func uploadRefused(t *testing.T, o *objects) {
	id := o.begin("k")
	small, tail := o.part("k", id, 1, []byte("too small")), o.part("k", id, 2, []byte("tail"))
	other := small
	other.Tag = "\"00000000000000000000000000000000\""
	for name, parts := range map[string][]object.Part{
		"no parts": {}, "a small part": {small, tail}, "disorder": {tail, small}, "other content": {other}, "missing": {{Number: 9, Tag: small.Tag}},
	} {
		_, err := o.Complete(t.Context(), "k", id, parts, object.PutOptions{})
		require.Equal(t, errs.Invalid, errs.CodeOf(err), "%s: %v", name, err)
	}
	for _, number := range []int{0, -1, 10001} {
		_, err := o.PutPart(t.Context(), "k", id, number, strings.NewReader("x"))
		o.code(errs.Invalid, err)
	}
	for _, id := range []string{"", "none", "../x", strings.Repeat("0", 32)} {
		_, err := o.PutPart(t.Context(), "k", id, 1, strings.NewReader("x"))
		o.code(errs.NotFound, err)
	}
	_, err := o.PutPart(t.Context(), "other", id, 1, strings.NewReader("x"))
	o.code(errs.NotFound, err)
}

func uploadConditions(t *testing.T, o *objects) {
	o.put("k", "there")
	id := o.begin("k")
	parts := []object.Part{o.part("k", id, 1, []byte("content"))}
	_, err := o.Complete(t.Context(), "k", id, parts, object.PutOptions{IfAbsent: true})
	o.code(errs.Conflict, err)
	_, err = o.Complete(t.Context(), "k", id, parts, object.PutOptions{SHA256: digestOf("other")})
	o.code(errs.Invalid, err)
	got, _ := o.read("k", 0)
	require.Equal(t, "there", got)
}

func uploadAborted(t *testing.T, o *objects) {
	id := o.begin("k")
	o.part("k", id, 1, []byte("content"))
	for range 2 {
		require.NoError(t, o.Abort(t.Context(), "k", id))
	}
	_, err := o.Parts(t.Context(), "k", id)
	o.code(errs.NotFound, err)
	require.NoError(t, o.Abort(t.Context(), "k", "none"))
	require.Empty(t, o.keys("", "", 0))
}

func objectVersions(t *testing.T, o *objects) {
	first, second := o.put("k", "first"), o.put("k", "second")
	o.put("k2", "other")
	require.NoError(t, o.Delete(t.Context(), "k"))
	third := o.put("k", "third")
	infos, err := o.Versions(t.Context(), "k")
	require.NoError(t, err)
	require.Len(t, infos, 3)
	for i, want := range []object.Info{third, second, first} {
		require.Equal(t, want.Version, infos[i].Version)
		require.Equal(t, want.Size, infos[i].Size)
	}
	r, info, err := o.GetVersion(t.Context(), "k", first.Version, 2)
	require.NoError(t, err)
	require.Equal(t, "rst", o.drain(r))
	require.Equal(t, digestOf("first"), info.SHA256)
	_, _, err = o.GetVersion(t.Context(), "k", "nonsense", 0)
	o.code(errs.NotFound, err)
	infos, err = o.Versions(t.Context(), "none")
	require.NoError(t, err)
	require.Empty(t, infos)
}
