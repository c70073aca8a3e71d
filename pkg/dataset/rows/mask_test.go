package rows_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

func TestMaskText(t *testing.T) {
	for in, want := range map[string]string{
		// e-mail
		"Write to jane.doe+x@mail.example.com.": "Write to [EMAIL].",
		"a@b.co, c@d.org":                       "[EMAIL], [EMAIL]",
		"联系foo@example.com谢谢":                   "联系[EMAIL]谢谢",
		"user@localhost and @handle and a@b.c1": "user@localhost and @handle and a@b.c1",
		"mail me@example.com@example.com":       "mail [EMAIL]@example.com",
		".x@example.com":                        ".[EMAIL]",
		// cards: test numbers of the issuers
		"Card 4111 1111 1111 1111 ok":        "Card [CARD] ok",
		"4111111111111111":                   "[CARD]",
		"5500-0000-0000-0004 12/27":          "[CARD] 12/27",
		"amex 3782 822463 10005.":            "amex [CARD].",
		"2 items, 12 4111 1111 1111 1111 99": "2 items, 12 [CARD] 99",
		"4111 1111 1111 1112":                "4111 1111 1111 1112",
		"order 1234567890123456":             "order 1234567890123456",
		"x4111111111111111":                  "x4111111111111111",
		// phones
		"+49 30 1234567":               "[PHONE]",
		"call +14155552671, now":       "call [PHONE], now",
		"(415) 555-2671":               "[PHONE]",
		"415-555-2671 or 415.555.2671": "[PHONE] or [PHONE]",
		"1-800-555-0199":               "[PHONE]",
		"Tel. 0171/1234567":            "Tel. [PHONE]",
		"020 7946 0958":                "[PHONE]",
		"01 23 45 67 89":               "[PHONE]",
		// none of these
		"01-02-2023":                    "01-02-2023",
		"2023-01-02 10:00":              "2023-01-02 10:00",
		"0.12345678 and 3.1415926535":   "0.12345678 and 3.1415926535",
		"10.0.0.1 and 192.168.100.1000": "10.0.0.1 and 192.168.100.1000",
		"+5 points, 1+2":                "+5 points, 1+2",
		"1 2 3 4 5 6 7 8 9 10 11 12":    "1 2 3 4 5 6 7 8 9 10 11 12",
		"ISBN 978-3-16-148410-0":        "ISBN 978-3-16-148410-0",
		"":                              "",
		strings.Repeat("9", 40):         strings.Repeat("9", 40),
	} {
		got, _ := rows.MaskText(in)
		require.Equal(t, want, got, in)
	}
}

func TestRow_Mask_CountsByKindAndTakesEveryText(t *testing.T) {
	r := rows.Row{Kind: rows.Chat, Tags: map[string]string{"author": "a@b.co", "eventTime": "2026-01-02 03:04:05"},
		Messages: []rows.Message{{Role: "user", Content: "call 415-555-2671"}, {Role: "assistant", Content: "4111111111111111"}}}
	require.Equal(t, rows.Masked{Emails: 1, Phones: 1, Cards: 1}, r.Mask())
	require.Equal(t, "call [PHONE]", r.Messages[0].Content)
	require.Equal(t, "[EMAIL]", r.Tags["author"])
	require.Equal(t, "2026-01-02 03:04:05", r.Tags["eventTime"])
}

func TestRow_ID_IsThatOfTheContent(t *testing.T) {
	pair := rows.Row{Kind: rows.Completion, Prompt: "a", Completion: "b"}
	chat := rows.Row{Kind: rows.Chat, Messages: []rows.Message{{Role: "user", Content: "a"}, {Role: "assistant", Content: "b"}}}
	require.Equal(t, pair.ID(), chat.ID())
	other := rows.Row{Kind: rows.Completion, Prompt: "a", Completion: "c"}
	require.NotEqual(t, pair.ID(), other.ID())
	require.Equal(t, pair.PromptID(), other.PromptID())
	shifted := rows.Row{Kind: rows.Completion, Prompt: "ab", Completion: ""}
	require.NotEqual(t, pair.ID(), shifted.ID())
}

func TestRow_AppendJSON_ReadsBack(t *testing.T) {
	r := rows.Row{Kind: rows.Plain, Text: "a\"b\\c\n\t\x01<é>", Tags: map[string]string{"topic": "x"}}
	line := r.AppendJSON(nil, r.ID(), rows.Meta{Ingestion: "ing_1", Line: 7, Licence: "cc0", Tags: r.Tags})
	var back struct {
		ID, Text string
		Meta     map[string]any
	}
	require.NoError(t, json.Unmarshal(line, &back))
	require.Equal(t, r.Text, back.Text)
	require.Equal(t, r.ID().String(), back.ID)
	require.Equal(t, map[string]any{"ingestion": "ing_1", "line": 7.0, "licence": "cc0", "topic": "x"}, back.Meta)
}

func TestRow_Hidden_FindsWhatNobodySees(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "", "“quoted” – 漢字 👩‍💻 नमस्ते": "", "a\u200bb": "U+200B", "turn \u202e around": "U+202E",
		"tag\U000e0041s": "U+E0041", "a\ufeff": "U+FEFF",
	} {
		r := rows.Row{Kind: rows.Completion, Prompt: "p", Completion: text}
		p := r.Hidden()
		if want == "" {
			require.Nil(t, p, text)
			continue
		}
		require.Equal(t, rows.Problem{Rule: rows.RuleHidden, Pointer: "/completion", Expected: "characters that can be seen", Found: want}, *p)
	}
}
