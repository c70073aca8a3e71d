package rows_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
)

func texts(all []rows.Record) (out []string) {
	for _, rec := range all {
		out = append(out, rec.Row.Text)
	}
	return out
}

func TestOpen_Text_CutsAtParagraphs(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("A sentence of the policy. ", 70))
	all, bad := readAll(t, "a.txt", "\n\nOne.\r\nstill one.\n\nTwo.\n\n"+long+"\n\n# no heading in plain text\n\n\nlast\n\n")
	require.Nil(t, bad)
	require.Equal(t, []string{"One.\nstill one.\n\nTwo.\n\n" + long, "# no heading in plain text\n\n\nlast"}, texts(all))
	require.Equal(t, []int64{3, 10}, []int64{all[0].Line, all[1].Line})
}

func TestOpen_Markdown_BeginsAPassageAtAHeading(t *testing.T) {
	code := "```sh\n# a comment\n\n" + strings.Repeat("make build\n", 200) + "\n# another\n```"
	all, bad := readAll(t, "a.md.gz", gz(t, "intro\n# First\n\ntext #1\n## Second\n"+code+"\nafter\n#hashtag\n"))
	require.Nil(t, bad)
	require.Equal(t, []string{"intro", "# First\n\ntext #1", "## Second\n" + code + "\nafter\n#hashtag"}, texts(all))
}

func TestOpen_Text_BadPassages(t *testing.T) {
	all, bad := readAll(t, "a.txt", "good\n\n"+strings.Repeat("x", 20<<10)+"\ngood too\n\n"+strings.Repeat("line\n", 4<<10)+"\n\xff\n")
	require.Nil(t, bad)
	require.Equal(t, "good", all[0].Row.Text)
	require.Equal(t, rows.RuleTooLong, all[1].Problem.Rule)
	require.Equal(t, "good too", all[2].Row.Text[:8])
	last := all[len(all)-1]
	require.Equal(t, rows.RuleUTF8, last.Problem.Rule)
	for _, rec := range all[2 : len(all)-1] {
		require.Nil(t, rec.Problem)
		require.LessOrEqual(t, len(rec.Row.Text), 8<<10)
	}
	_, bad = readAll(t, "a.txt", " \n\n")
	require.Equal(t, rows.RuleEmptyFile, bad.Rule)
}
