package gate

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// FuzzFastLine holds the fast parser to encoding/json: whatever it accepts, the other reads alike.
func FuzzFastLine(f *testing.F) {
	for _, seed := range []string{
		`{"benchmark":"a","lock":"l","capability":"k","item":"1","score":1,"mustPass":true,"tokens":3}`,
		`{"score":0.5e1}`, `{"score":01}`, `{"score":1.}`, `{"score":.5}`, `{"score":1.e2}`, `{"score":1,}`, `{}`, `{"item":"a"`,
		`{"score":1e999}`, `{"tokens":1.5}`, `{"item":"a","item":"b"}`, `{ "score" : 1 }`,
		`{"output":"a\n\"b\" \u00e9 \ud83d\ude00 \ud800"}`, `{"output":"\x"}`, `{"score":null}`, `{"error":"x","error":null,"item":null}`,
		`{"Score":1}`, `{"SCORE":null}`, `{"extra":1,"more":"x","last":null}`, `{"score":0.1234567890123}`, `{"score":1.2.3}`,
		`{"mustPass":false}`, `{"mustPass":trub}`, `{"item":nul`, `{"latencyMs":00.5}`, `{"latencyMs":123456789012.34}`,
		`{"output":"\uD83D\uDE00\ud83d\u0041\ude00\uffff\ud83d\n\ud83d"}`, `{"output":"\u00g1"}`, `{"output":"\u00e"}`, `{"\u0073core":1,"output":"\/"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var got, want Result
		hasScore, ok := newWords().fast(line, &got)
		if !utf8.Valid(line) {
			return // refused before parsing
		}
		if !ok || !json.Valid(line) {
			require.False(t, ok, "accepted what JSON refuses: %q", line)
			return
		}
		wantScore, err := slow(line, &want)
		require.NoError(t, err)
		require.Equal(t, wantScore, hasScore)
		require.Equal(t, want, got)
	})
}

// Escapes in any order, halves of pairs among them, resolve as encoding/json resolves them.
func TestFastLine_Property_EscapesAsEncodingJSON(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "é", `\u00e9`, `\ud83d`, `\ude00`, `\uD83D\uDE00`, `\n`, `\"`, `\\`, `\u0000`, `\uFFFF`, `\u12`, `\u12G4`, `\x`, "\x01"})
	rapid.Check(t, func(t *rapid.T) {
		line := []byte(`{"output":"` + strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "") + `"}`)
		var got, want Result
		_, ok := newWords().fast(line, &got)
		err := json.Unmarshal(line, &want)
		require.Equal(t, err == nil, ok, "%q", line)
		if ok {
			require.Equal(t, want, got)
		}
	})
}

// What a line leaves behind for the next, its layout and its repeated values, changes nothing of what the next says.
func TestFastLine_Property_LinesAfterOneAnother(t *testing.T) {
	key := rapid.SampledFrom([]string{`"benchmark"`, `"lock"`, `"capability"`, `"item"`, `"l\u006fck"`, `"more"`, `"output"`})
	value := rapid.SampledFrom([]string{`"a"`, `"a\\b"`, `"a\b"`, `"\"`, `""`, `"ab"`, `"a" `, `null`, `1`})
	space := rapid.SampledFrom([]string{"", " ", "\t"})
	rapid.Check(t, func(t *rapid.T) {
		w := newWords()
		for range rapid.IntRange(1, 6).Draw(t, "lines") {
			var parts []string
			for range rapid.IntRange(1, 5).Draw(t, "fields") {
				parts = append(parts, space.Draw(t, "s")+key.Draw(t, "key")+space.Draw(t, "s")+":"+space.Draw(t, "s")+value.Draw(t, "value"))
			}
			line := []byte("{" + strings.Join(parts, ",") + "}")
			var got, want Result
			_, ok := w.fast(line, &got)
			_, err := slow(line, &want)
			if ok {
				require.NoError(t, err, "%s", line)
				require.Equal(t, want, got, "%s", line)
			}
		}
	})
}
