package rows_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

// readAll reads a whole file: its records and the problem that ended it, if any.
func readAll(t *testing.T, name, content string) ([]rows.Record, *rows.Problem) {
	t.Helper()
	f, err := rows.Open(name, strings.NewReader(content), small())
	var bad *rows.Problem
	if errors.As(err, &bad) {
		return nil, bad
	}
	require.NoError(t, err)
	var all []rows.Record
	for {
		rec, err := f.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if errors.As(err, &bad) {
			return all, bad
		}
		require.NoError(t, err)
		rec.Raw = bytes.Clone(rec.Raw)
		all = append(all, rec)
	}
}

func small() rows.Limits {
	l := rows.DefaultLimits()
	l.MaxRecord = 8 << 10
	return l
}

const good = `{"prompt":"Where is the office?","completion":"In Bremen."}`

func TestOpen_JSONL_ReadsTheThreeSchemas(t *testing.T) {
	all, bad := readAll(t, "a.jsonl", "\ufeff"+good+"\r\n\n"+
		`{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}`+"\n"+
		`{"text":"A policy.","topic":"policy","extra":1}`)
	require.Nil(t, bad)
	require.Len(t, all, 3)
	require.Equal(t, []rows.Kind{rows.Completion, rows.Chat, rows.Plain}, []rows.Kind{all[0].Row.Kind, all[1].Row.Kind, all[2].Row.Kind})
	require.Equal(t, []int64{1, 3, 4}, []int64{all[0].Line, all[1].Line, all[2].Line})
	require.Equal(t, good, string(all[0].Raw))
	require.Equal(t, map[string]string{"topic": "policy"}, all[2].Row.Tags)
	require.Equal(t, []string{"extra"}, all[2].Unused)
}

func TestOpen_JSONL_NamesRuleAndPlace(t *testing.T) {
	for _, c := range []struct{ line, rule, pointer, found string }{
		{`{"prompt":"x"`, rows.RuleSyntax, "", "the end of the line at column 14"},
		{`not json`, rows.RuleSyntax, "", `"not json" at column 1`},
		{good + ` x`, rows.RuleSyntax, "", `"x" at column 61`},
		{`[1]`, rows.RuleSchema, "", "an array"},
		{`{}`, rows.RuleSchema, "", "no fields"},
		{`{"question":"a","answer":"b"}`, rows.RuleSchema, "", `only "question", "answer"`},
		{`{"prompt":"x","text":"y"}`, rows.RuleSchema, "", "several of them"},
		{`{"prompt":"x"}`, rows.RuleSchema, "/completion", "no such field"},
		{`{"prompt":"x","completion":7}`, rows.RuleSchema, "/completion", "a number"},
		{`{"prompt":"x","completion":" \n"}`, rows.RuleEmptyAnswer, "/completion", `" \n"`},
		{`{"prompt":"","completion":"y"}`, rows.RuleEmptyPrompt, "/prompt", `""`},
		{`{"text":""}`, rows.RuleEmptyText, "/text", `""`},
		{`{"messages":[]}`, rows.RuleSchema, "/messages", "an array of 0"},
		{`{"messages":[{"role":"bot","content":"x"}]}`, rows.RuleSchema, "/messages/0/role", `"bot"`},
		{`{"messages":[{"role":"user","content":"x"}]}`, rows.RuleSchema, "/messages/0/role", `"user"`},
		{`{"messages":[{"role":"assistant","content":"x"}]}`, rows.RuleSchema, "/messages", "none"},
		{`{"messages":[{"role":"user","content":"x"},{"role":"system","content":"x"}]}`, rows.RuleSchema, "/messages/1/role", "it at place 2"},
		{`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":""}]}`, rows.RuleEmptyAnswer, "/messages/1/content", `""`},
		{`{"messages":[{"role":"user","content":"x","a/b":1}]}`, rows.RuleSchema, "/messages/0/a~1b", "another field"},
		{`{"text":"a","text":"b"}`, rows.RuleDuplicateKey, "/text", `"text" again`},
		{`{"text":"a\u0000"}`, rows.RuleNUL, "", `"\u0000"`},
		{"{\"text\":\"a\x00\"}", rows.RuleNUL, "", "one"},
		{"{\"text\":\"a\xff\xfeb\"}", rows.RuleUTF8, "", `bytes "\xff\xfeb\"}"`},
		{`{"text":"\ud800"}`, rows.RuleUTF8, "", "a lone surrogate escape"},
		{`{"text":"a","n":1e999}`, rows.RuleNumber, "", `"1e999"`},
		{`{"text":"a","n":01}`, rows.RuleSyntax, "", `"1}" at column 18`},
		{`{"text":"a","n":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, rows.RuleDepth, "", "more"},
		{`{"text":"` + strings.Repeat("a", 9<<10) + `"}`, rows.RuleTooLong, "", "more"},
	} {
		all, bad := readAll(t, "a.jsonl", c.line+"\n"+good)
		require.Nil(t, bad, c.line)
		require.Len(t, all, 2, c.line)
		require.NotNil(t, all[0].Problem, c.line)
		require.Equal(t, [3]string{c.rule, c.pointer, c.found}, [3]string{all[0].Problem.Rule, all[0].Problem.Pointer, all[0].Problem.Found}, c.line)
		require.Nil(t, all[1].Problem, "the row after %s", c.line)
	}
}

func TestOpen_JSONL_DecodesEscapes(t *testing.T) {
	all, _ := readAll(t, "a.jsonl", `{"text":"\"\\\/\b\f\n\r\té\ud83d\ude00 plain"}`)
	require.Nil(t, all[0].Problem)
	require.Equal(t, "\"\\/\b\f\n\r\té😀 plain", all[0].Row.Text)
}

func TestOpen_CSV(t *testing.T) {
	all, bad := readAll(t, "a.csv", "\ufeffPrompt,completion,topic,note\r\n"+
		"Hi,\"Hello, \"\"you\"\"\r\nthere\",greeting,x\r\n"+
		"\r\n"+
		"one,two\n"+
		"say \"hi\",yes,,\n"+
		"never,\"closed,,\n"+
		"bad,\"x\"y,,\n"+
		"empty,,,\n"+
		"Last,row,,")
	require.Nil(t, bad)
	require.Len(t, all, 7)
	require.Nil(t, all[0].Problem)
	require.Equal(t, "Hello, \"you\"\nthere", all[0].Row.Completion)
	require.Equal(t, map[string]string{"topic": "greeting"}, all[0].Row.Tags)
	require.Equal(t, []string{"note"}, all[0].Unused)
	want := []struct {
		line int64
		rule string
	}{{2, ""}, {5, rows.RuleColumns}, {6, rows.RuleQuote}, {7, rows.RuleQuote}, {8, rows.RuleQuote}, {9, rows.RuleEmptyAnswer}, {10, ""}}
	for i, w := range want {
		require.Equal(t, w.line, all[i].Line)
		if w.rule == "" {
			require.Nil(t, all[i].Problem, "record %d", i)
			continue
		}
		require.Equal(t, w.rule, all[i].Problem.Rule, "record %d", i)
	}
	require.Equal(t, `never,"closed,,`, string(all[3].Raw))
}

func TestOpen_CSV_OneLongRecordCostsOneRecord(t *testing.T) {
	for name, long := range map[string]string{
		"plain":         "x," + strings.Repeat("y", 100<<10),
		"quoted":        `x,"` + strings.Repeat("y", 100<<10) + `"`,
		"open quote":    `x,"` + strings.Repeat("y", 100<<10),
		"quoted, lines": `x,"` + strings.Repeat("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n", 2<<10) + `"`,
	} {
		all, bad := readAll(t, "a.csv", "prompt,completion\na,b\n"+long+"\nc,d\ne,f\n")
		require.Nil(t, bad, name)
		var prompts []string
		for _, rec := range all {
			if rec.Problem == nil {
				prompts = append(prompts, rec.Row.Prompt)
			}
		}
		require.Equal(t, []string{"a", "c", "e"}, prompts, name)
	}
}

func TestOpen_CSV_OtherDelimitersAndCommaInQuotes(t *testing.T) {
	for _, delimiter := range []string{";", "\t"} {
		all, bad := readAll(t, "a.csv", strings.ReplaceAll("prompt|completion\na|\"b|c\"\n", "|", delimiter))
		require.Nil(t, bad)
		require.Equal(t, "b"+delimiter+"c", all[0].Row.Completion)
	}
}

func TestOpen_RefusesWholeFiles(t *testing.T) {
	for _, c := range []struct{ name, content, rule string }{
		{"a.jsonl", "", rows.RuleEmptyFile},
		{"a.csv", "\n \n", rows.RuleEmptyFile},
		{"a.csv", "question,answer\n1,2\n", rows.RuleHeader},
		{"a.jsonl", "PK\x03\x04zip", rows.RuleFormat},
		{"a.jsonl", "PAR1", rows.RuleFormat},
		{"a.jsonl", "\xff\xfe{\x00", rows.RuleFormat},
		{"a.bin", "\x01\x02\x03", rows.RuleFormat},
		{"a.json", "[\n{}]", rows.RuleFormat},
		{"a.jsonl.gz", "\x1f\x8bnot gzip at all", rows.RuleDamaged},
	} {
		_, bad := readAll(t, c.name, c.content)
		require.NotNil(t, bad, c.name+c.content)
		require.Equal(t, c.rule, bad.Rule, "%q", c.content)
	}
}

func gz(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestOpen_Gzip_KeepsWhatCameBeforeTheDamage(t *testing.T) {
	whole := gz(t, strings.Repeat(good+"\n", 1000))
	all, bad := readAll(t, "a.jsonl.gz", whole)
	require.Nil(t, bad)
	require.Len(t, all, 1000)

	all, bad = readAll(t, "a.jsonl.gz", whole[:len(whole)-9])
	require.Equal(t, rows.RuleDamaged, bad.Rule)
	require.NotEmpty(t, all)

	all, bad = readAll(t, "no-extension", whole+whole)
	require.Nil(t, bad)
	require.Len(t, all, 2000)
}

func TestOpen_Gzip_StopsABomb(t *testing.T) {
	limits := small()
	limits.RatioFree = 1 << 20
	f, err := rows.Open("a.jsonl.gz", strings.NewReader(gz(t, strings.Repeat(good+"\n", 1<<16))), limits)
	require.NoError(t, err)
	for err == nil {
		_, err = f.Next()
	}
	var bad *rows.Problem
	require.ErrorAs(t, err, &bad)
	require.Equal(t, rows.RuleRatio, bad.Rule)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestFile_Next_PassesOnTheSourcesOwnErrors(t *testing.T) {
	lost := errors.New("connection lost")
	for _, content := range []string{good + "\n", gz(t, good+"\n")[:30]} {
		in := io.MultiReader(strings.NewReader(content), failing{lost})
		f, err := rows.Open("a.jsonl", in, small())
		for err == nil {
			_, err = f.Next()
		}
		require.ErrorIs(t, err, lost)
	}
}

func zst(t *testing.T, content string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return string(w.EncodeAll([]byte(content), nil))
}

func TestOpen_Zstd(t *testing.T) {
	whole := zst(t, strings.Repeat(good+"\n", 1000))
	all, bad := readAll(t, "a.jsonl.zst", whole)
	require.Nil(t, bad)
	require.Len(t, all, 1000)
	_, bad = readAll(t, "a.jsonl.zst", whole[:len(whole)-9])
	require.Equal(t, rows.RuleDamaged, bad.Rule)

	limits := small()
	limits.RatioFree = 1 << 20
	f, err := rows.Open("a.zst", strings.NewReader(zst(t, strings.Repeat(good+"\n", 1<<16))), limits)
	require.NoError(t, err)
	for err == nil {
		_, err = f.Next()
	}
	require.ErrorAs(t, err, &bad)
	require.Equal(t, rows.RuleRatio, bad.Rule)
	require.NoError(t, f.Close())
}
