package dataset_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// whole finds only texts that are equal.
type whole string

func (w whole) Overlaps(text string) (string, bool) { return "golden/1", text == string(w) }

func TestService_Check_FindsABenchmarkItemInsideAChat(t *testing.T) {
	w := newWorld(t, func(d *dataset.Deps) {
		d.Overlaps = func(context.Context, dataset.Dataset) (dataset.Overlaps, error) { return whole("2+2?\n4"), nil }
	})
	turn := func(role, content string) string { return `{"role":"` + role + `","content":"` + content + `"}` }
	ing := w.check("a.jsonl", `{"messages":[`+turn("system", "Be brief.")+","+turn("user", "Hi")+","+turn("assistant", "Hello")+
		","+turn("user", "2+2?")+","+turn("assistant", "4")+"]}\n"+pairs("a", 3))
	require.Equal(t, 1, ing.Counts.Overlaps)
}

func TestErrorGroup_SaysWhatIsWrongAndHowToMendIt(t *testing.T) {
	w := newWorld(t, nil)
	ing := w.check("a.jsonl", faulty+`{"prompt":"a","completion":"b\u202e","x":1}`)
	require.Len(t, ing.Warnings, 3)
	for _, g := range append(ing.Errors, ing.Warnings...) {
		require.NotEmpty(t, g.Title, g.Rule)
		require.NotEmpty(t, g.Hint, g.Rule)
	}
}

func TestService_Check_MasksPersonalDataInExamples(t *testing.T) {
	w := newWorld(t, nil)
	ing := w.check("a.jsonl", `{"messages":[{"role":"jane@example.com","content":"x"}]}`)
	require.Equal(t, `"[EMAIL]"`, ing.Errors[0].Examples[0].Found)
}

func TestService_Check_FreeTextIsMendedAsJSONLines(t *testing.T) {
	w := newWorld(t, nil)
	ing := w.check("policy.md", "# One\nText.\n# Two\nA NUL \x00 here.\n# Three\nMore.\n")
	require.Equal(t, dataset.Counts{Rows: 3, Accepted: 2, Rejected: 1}, ing.Counts)
	require.Equal(t, `{"error":"encoding.nul: expected text without NUL characters, found one","line":3,"row":{"text":"# Two\nA NUL \u0000 here."}}`+"\n",
		w.rejects(ing.ID))
	_, name, err := w.OpenRejects(t.Context(), ing.ID)
	require.NoError(t, err)
	require.Equal(t, "policy-rejected.jsonl", name)
}

func TestService_Publish_ChecksAgainWhenTheReportIsGoneOrAnother(t *testing.T) {
	for name, harm := range map[string]func(w *world, key string) error{
		"gone": func(w *world, key string) error { return w.objects.Delete(w.t.Context(), key) },
		"another": func(w *world, key string) error {
			_, err := w.objects.Put(w.t.Context(), key, strings.NewReader("{}"), object.PutOptions{})
			return err
		},
	} {
		w := newWorld(t, nil)
		ing := w.check("a.jsonl", faulty)
		require.NoError(t, harm(w, ing.Report), name)
		v, err := w.Publish(t.Context(), ing.ID)
		require.NoError(t, err, name)
		require.Equal(t, 3, v.Rows, name)
	}
}

// counting counts what is read of row ids.
type counting struct {
	*blobs
	ids int
}

func (c *counting) Get(ctx context.Context, key string, offset int64) (io.ReadCloser, object.Info, error) {
	if strings.HasSuffix(key, ".ids") {
		c.ids++
	}
	return c.blobs.Get(ctx, key, offset)
}

func TestService_Check_ReadsOnlyTheIDsThatItHasNotReadYet(t *testing.T) {
	store := &counting{blobs: &blobs{data: map[string][]byte{}}}
	w := newWorld(t, func(d *dataset.Deps) { d.Objects = store })
	w.objects = store
	for i := range 10 {
		w.add(fmt.Sprintf("f%d.jsonl", i), pairs(fmt.Sprint(i), 2)+pairs("0", 1))
	}
	require.Equal(t, 9, store.ids, "the ids of each version's new shard once")
	_, err := w.Retract(t.Context(), by, "support", 1, "poisoned")
	require.NoError(t, err)
	ing := w.check("again.jsonl", pairs("0", 2)+pairs("1", 2))
	require.Equal(t, 2, ing.Counts.Accepted, "retracted rows are not kept in mind")
}

// short is a store that loses the end of what it reads.
type short struct{ *blobs }

func (s short) Get(ctx context.Context, key string, offset int64) (io.ReadCloser, object.Info, error) {
	r, info, err := s.blobs.Get(ctx, key, offset)
	if strings.HasPrefix(key, "incoming/") && err == nil {
		return io.NopCloser(io.LimitReader(r, info.Size/2)), info, nil
	}
	return r, info, err
}

func TestService_Check_AReadThatEndsEarlyIsTriedAgain(t *testing.T) {
	whole := &blobs{data: map[string][]byte{}}
	w := newWorld(t, func(d *dataset.Deps) { d.Objects = short{whole} })
	w.objects = whole
	ing := w.arrive("a.jsonl", pairs("a", 10))
	_, err := w.Check(t.Context(), ing.ID)
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
	require.Equal(t, dataset.Checking, w.ingestion(ing.ID).Status)
	w.deps.Objects = whole
	w.open()
	_, err = w.Check(t.Context(), ing.ID)
	require.NoError(t, err)
	require.Equal(t, 10, w.ingestion(ing.ID).Counts.Accepted)
}
