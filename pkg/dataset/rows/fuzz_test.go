package rows_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// decode reads a file to its end; it fails the test on an error that is no problem of the file.
func decode(t *testing.T, name string, content []byte, limits rows.Limits) []rows.Record {
	f, err := rows.Open(name, bytes.NewReader(content), limits)
	var bad *rows.Problem
	var all []rows.Record
	for err == nil {
		var rec rows.Record
		if rec, err = f.Next(); err == nil {
			rec.Raw = bytes.Clone(rec.Raw)
			all = append(all, rec)
		}
	}
	if !errors.Is(err, io.EOF) {
		require.ErrorAs(t, err, &bad)
	}
	return all
}

// FuzzJSONL holds the decoder to encoding/json: what is accepted is JSON with the same texts, and whatever
// comes before and after a line, a good line is read.
func FuzzJSONL(f *testing.F) {
	for _, seed := range []string{good, `{"text":"\ud83d\ude00\n"}`, `{"text":"a","n":-1.5e+3,"x":[true,null,{}]}`, `[`, "\x00", `{"text":"` + "\xff" + `"}`,
		`{"error":"x","line":1,"row":"{\"text\":\"y\"}"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\n\r") {
			return
		}
		all := decode(t, "a.jsonl", []byte(good+"\n"+string(line)+"\n"+good+"\n"), small())
		require.Nil(t, all[0].Problem)
		last := all[len(all)-1]
		require.Nil(t, last.Problem)
		require.Equal(t, int64(3), last.Line)
		if len(all) == 3 && all[1].Problem == nil {
			sameJSON(t, line, &all[1].Row)
		}
	})
}

func sameJSON(t *testing.T, line []byte, row *rows.Row) {
	require.True(t, json.Valid(line))
	require.True(t, utf8.Valid(line))
	published := row.AppendJSON(nil, row.ID(), rows.Meta{Ingestion: "i"})
	require.True(t, json.Valid(published), "%s", published)
	again := decode(t, "a.jsonl", published, rows.DefaultLimits())
	require.Len(t, again, 1)
	require.Nil(t, again[0].Problem)
	require.Equal(t, row.ID(), again[0].Row.ID(), "a published row is the same row")
}

// FuzzCSV holds the reader to encoding/csv where that accepts the whole file, and wants good rows around
// anything that does not begin a quoted field that swallows them.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n", "\"a\r\nb\",\"c\"\"d\"\n", "a\n\n\"", "x,\"y\"z\nq,r", ",,\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		content := append([]byte("prompt,completion\nq,a\n"), body...)
		all := decode(t, "a.csv", content, small())
		require.NotEmpty(t, all)
		require.Nil(t, all[0].Problem)
		want, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
		if err != nil || !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 || bytes.Contains(body, []byte("\r")) {
			return
		}
		require.LessOrEqual(t, len(all), len(want)-1, "records")
		for i, rec := range all {
			if rec.Problem == nil {
				require.Contains(t, want, []string{rec.Row.Prompt, rec.Row.Completion}, "record %d", i)
			}
		}
	})
}

// FuzzCSVChunks holds the reader to giving the same records however small its window is.
func FuzzCSVChunks(f *testing.F) {
	f.Add("q,\"a\n\"\"b\"\n", uint8(3))
	f.Fuzz(func(t *testing.T, body string, step uint8) {
		content := "prompt,completion\nq,a\n" + body
		limits := small()
		whole := decode(t, "a.csv", []byte(content), limits)
		in := &dribble{in: strings.NewReader(content), step: int(step) + 1}
		file, err := rows.Open("a.csv", in, limits)
		require.NoError(t, err)
		for _, want := range whole {
			got, err := file.Next()
			require.NoError(t, err)
			require.Equal(t, want.Row, got.Row)
			require.Equal(t, want.Line, got.Line)
			require.Equal(t, want.Problem, got.Problem)
		}
	})
}

// dribble gives a few bytes at a time.
type dribble struct {
	in   io.Reader
	step int
}

func (d *dribble) Read(p []byte) (int, error) { return d.in.Read(p[:min(len(p), d.step)]) }

// FuzzOpen wants an answer, not a panic, for any file.
func FuzzOpen(f *testing.F) {
	f.Add("a.csv.gz", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x4b\x4c\x04\x04\x00\x00"))
	f.Add("a", []byte("PK\x03\x04"))
	f.Add("a.jsonl", []byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, name string, content []byte) { decode(t, name, content, small()) })
}

func FuzzMaskText(f *testing.F) {
	for _, seed := range []string{"a@b.co +49 30 123456 (415) 555-2671", "4111 1111 1111 1111", "1 2 3 4 5 6 7 8 9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		masked, n := rows.MaskText(s)
		require.Equal(t, n.Any(), masked != s)
		require.Equal(t, utf8.ValidString(s), utf8.ValidString(masked))
	})
}
