package table_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

func TestCursor_GoesOnInItsOwnQueryOnly(t *testing.T) {
	q := table.Query{Index: table.GSI1, PK: "X", From: "a"}
	at := table.Position{Key: table.Key{PK: "A", SK: "1"}, Index: table.Key{PK: "X", SK: "b"}}
	q.Cursor = table.EncodeCursor(q, at)
	got, err := table.DecodeCursor(q)
	require.NoError(t, err)
	require.Equal(t, &at, got)
	q.Limit, q.Consistency = 7, table.Consistent
	_, err = table.DecodeCursor(q)
	require.NoError(t, err, "the size of pages may change")
	q.From = "b"
	_, err = table.DecodeCursor(q)
	require.Equal(t, errs.Invalid, errs.CodeOf(err))
}

func TestCursor_StaysWithinItsQuery(t *testing.T) {
	q := table.Query{PK: "A", Prefix: "E#"}
	for _, forged := range []table.Position{
		{Key: table.Key{PK: "B", SK: "E#1"}}, {Key: table.Key{PK: "A", SK: "F"}}, {Key: table.Key{PK: "A"}}, {},
		{Key: table.Key{PK: "A", SK: "E#1"}, Index: table.Key{PK: "A", SK: "E#1"}},
	} {
		q.Cursor = table.EncodeCursor(q, forged)
		_, err := table.DecodeCursor(q)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), "%+v", forged)
	}
}

// FuzzDecodeCursor shows that no text from outside can move a query out of its bounds or crash it.
func FuzzDecodeCursor(f *testing.F) {
	q := table.Query{PK: "A", From: "b", To: "d"}
	f.Add(table.EncodeCursor(q, table.Position{Key: table.Key{PK: "A", SK: "c"}}))
	f.Add("")
	f.Add("eyJxIjoiIn0")
	f.Fuzz(func(t *testing.T, cursor string) {
		q := q
		q.Cursor = cursor
		at, err := table.DecodeCursor(q)
		if err != nil {
			require.Equal(t, errs.Invalid, errs.CodeOf(err))
			return
		}
		if at == nil {
			require.Empty(t, cursor)
			return
		}
		require.Equal(t, "A", at.Key.PK)
		require.True(t, at.Key.SK >= "b" && at.Key.SK <= "d")
		q.Cursor = table.EncodeCursor(q, *at)
		again, err := table.DecodeCursor(q)
		require.NoError(t, err)
		require.Equal(t, at, again)
	})
}

func TestSize_CountsNamesAndKeys(t *testing.T) {
	small := table.Item{Key: table.Key{PK: "A", SK: "1"}}
	large := small
	large.Body = json.RawMessage(`"` + strings.Repeat("é", 100) + `"`)
	require.Equal(t, table.Size(small)+202, table.Size(large), "bytes, not characters")
	large.Idx = map[table.Index]table.Key{table.GSI1: {PK: "X", SK: "y"}}
	require.Equal(t, table.Size(small)+202+8, table.Size(large))
	large.Num = map[string]int64{"rows": 1}
	require.Equal(t, table.Size(small)+202+8+28, table.Size(large))
}

func TestApply_LeavesWhatItWasGiven(t *testing.T) {
	before := table.Item{Key: table.Key{PK: "A", SK: "1"}, Num: map[string]int64{"n": 1}, Rev: 4}
	after := table.Apply(table.Op{Kind: table.Add, Item: table.Item{Key: before.Key, Num: map[string]int64{"n": 2}}}, &before)
	require.Equal(t, int64(3), after.Num["n"])
	require.Equal(t, int64(5), after.Rev)
	require.Equal(t, int64(1), before.Num["n"])
	require.Nil(t, table.Live(&table.Item{TTL: time.Unix(10, 0)}, time.Unix(10, 0)))
	require.NotNil(t, table.Live(&table.Item{TTL: time.Unix(10, 0)}, time.Unix(10, -1)))
}
