package rows_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// prose is about what a support answer looks like.
const prose = "Please open the settings page, choose “Billing”, and press \"Renew\" before the 14th; the invoice follows by mail within two working days."

func jsonLines(bytesWanted int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < bytesWanted; i++ {
		fmt.Fprintf(&b, `{"messages":[{"role":"user","content":"How do I renew contract %d?"},{"role":"assistant","content":%q}]}`+"\n", i, prose)
	}
	return b.Bytes()
}

func csvLines(bytesWanted int) []byte {
	var b bytes.Buffer
	b.WriteString("prompt,completion\n")
	for i := 0; b.Len() < bytesWanted; i++ {
		fmt.Fprintf(&b, "How do I renew contract %d?,\"%s\"\n", i, strings.ReplaceAll(prose, `"`, `""`))
	}
	return b.Bytes()
}

// TestOpen_CSV_LargerThanTheWindow compares with encoding/csv over many window borders.
func TestOpen_CSV_LargerThanTheWindow(t *testing.T) {
	content := csvLines(1 << 20)
	want, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	require.NoError(t, err)
	all := decode(t, "a.csv", content, small())
	require.Len(t, all, len(want)-1)
	for i, rec := range all {
		require.Nil(t, rec.Problem)
		require.Equal(t, want[i+1], []string{rec.Row.Prompt, rec.Row.Completion})
		require.Equal(t, int64(i+2), rec.Line)
	}
}

func benchmark(b *testing.B, name string, content []byte, each func(*rows.Row)) {
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		f, err := rows.Open(name, bytes.NewReader(content), rows.DefaultLimits())
		for err == nil {
			var rec rows.Record
			if rec, err = f.Next(); err == nil && each != nil {
				each(&rec.Row)
			}
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen_JSONL(b *testing.B) { benchmark(b, "a.jsonl", jsonLines(8<<20), nil) }
func BenchmarkOpen_CSV(b *testing.B)   { benchmark(b, "a.csv", csvLines(8<<20), nil) }

func BenchmarkRow_Mask(b *testing.B) {
	benchmark(b, "a.jsonl", jsonLines(8<<20), func(r *rows.Row) { r.Mask() })
}

func BenchmarkRow_ID(b *testing.B) {
	benchmark(b, "a.jsonl", jsonLines(8<<20), func(r *rows.Row) { r.ID() })
}
