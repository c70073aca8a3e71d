package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/local/command"
)

// terminal is one person's command line: their own login file and nobody's environment.
type terminal struct {
	t   *testing.T
	dir string
}

// typed runs a command and gives its exit code and everything that it printed.
func (u terminal) typed(args ...string) (code int, printed string) {
	u.t.Helper()
	code, out, problems := u.parted(args...)
	return code, out + problems
}

// parted is typed with standard output and standard error told apart.
func (u terminal) parted(args ...string) (code int, out, problems string) {
	u.t.Helper()
	u.t.Setenv("XDG_CONFIG_HOME", u.dir)
	var o, e bytes.Buffer
	code = command.Main("test", args, &o, &e)
	return code, o.String(), e.String()
}

// signedIn opens a terminal in which a user has signed in.
func (p *platform) signedIn(user string) terminal {
	u := terminal{p.t, p.t.TempDir()}
	p.t.Setenv("PERENNIAL_PASSWORD", secret)
	code, said := u.typed("login", "--url", "http://"+p.addr+"/", "-u", user)
	require.Equal(p.t, 0, code, said)
	return u
}

// The door "command line" at a running platform: everything that a person may type wrong, the exit code, and what to do.
// Those without a platform are in pkg/local/command/command_test.go.
func TestCommandLine_BadInputIsAnsweredWithWhatToDo(t *testing.T) {
	p := startPlatform(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	people := map[string]terminal{"ana": p.signedIn("ana"), "ben": p.signedIn("ben"), "admin": p.signedIn("admin"), "nobody": {t, t.TempDir()}}
	url := "--url=http://" + p.addr
	for _, tc := range []struct {
		who, args string
		code      int
		says      string
	}{
		{"ana", "runs|nope", 3, `no run "nope"`},
		{"ana", "runs|../../x", 3, `no run "../../x"`},
		{"ana", "runs|..", 2, `".." is no RUN`},
		{"ana", "runs|", 2, `"" is no RUN`},
		{"ana", "runs|a|b", 2, "takes one argument: RUN"},
		{"ana", "runs|logs|nope", 3, `no run "nope"`},
		{"ana", "runs|retry|nope", 3, `no run "nope"`},
		{"ana", "runs|cancel|nope", 2, "--reason"},
		{"ana", "runs|cancel|nope|--reason=x", 3, `no run "nope"`},
		{"ana", "train", 5, "add data first"},
		{"ben", "train", 4, "ml-engineer"},
		{"ana", "train|--preset=magic", 2, "use one of safe, knowledge"},
		{"ana", "train|-m|nope", 3, `no model "nope"`},
		{"ben", "approve|apr_nope|--reason=x", 3, `no approval "apr_nope"`},
		{"ben", "approve|apr_nope", 2, "--reason"},
		{"ben", "reject|apr/../x|--reason=x", 3, "no approval"},
		{"ana", "release|99|--reason=x", 3, "no version 99"},
		{"ana", "release|0|--reason=x", 2, `"0" is no version number`},
		{"ana", "release|1|--to=mars|--reason=x", 2, "development, staging or production"},
		{"ben", "release|1|--reason=x", 4, "ml-engineer"},
		{"ana", "releases|rel_nope", 3, `no release "rel_nope"`},
		{"ben", "rollback|production", 2, "--reason"},
		{"ben", "rollback|production|--reason= ", 2, "--reason"},
		{"ben", "rollback|mars|--reason=x", 3, `no environment "mars"`},
		{"ben", "rollback|production|--to=-3|--reason=x", 2, "-3 is no version number"},
		{"ben", "rollback|production|--to=0|--reason=x", 2, "0 is no version number"},
		{"ben", "rollback|production|--reason=x", 5, "no other version to go back to"},
		{"ben", "hold|bogus", 2, `unknown command "perennial hold bogus"`},
		{"ben", "hold|list|mars", 3, `no environment "mars"`},
		{"ben", "hold|add|production|99|--reason=x", 3, "no version 99"},
		{"ben", "hold|add|production|one|--reason=x", 2, `"one" is no version number`},
		{"ana", "hold|release|production|hld_nope|--reason=x", 3, `hld_nope`},
		{"ana", "data|bogus", 2, "perennial data --help"},
		{"ana", "data|versions|--dataset=nope", 3, `no dataset "nope"`},
		{"ana", "data|add|" + dir, 2, "is a folder"},
		{"ana", "data|add|/nowhere/x.jsonl", 2, "no such file"},
		{"ana", "data|add|" + file("empty.jsonl", ""), 2, "empty"},
		{"ana", "data|add|" + file("bad.jsonl", "garbage\n"), 2, "data discard ing_"},
		{"ana", "data|add|" + file("program.exe", "\x7fELF\x02\x00"), 2, "file.format"},
		{"ben", "data|add|" + file("good.jsonl", `{"prompt":"a","completion":"b"}`), 4, "data-engineer"},
		{"ana", "data|rejects|ing_nope", 3, `no ingestion "ing_nope"`},
		{"ana", "data|publish|ing_nope|--reason=x", 3, `no ingestion "ing_nope"`},
		{"ana", "data|retract|abc|--reason=x", 2, `"abc" is no version number`},
		{"ana", "data|retract|99|--reason=x", 3, "no version 99"},
		{"ana", "data|create|Bad Name", 2, "lower-case letters"},
		{"ana", "lineage|bogus", 2, "type:id"},
		{"ana", "lineage|run:nope", 3, "nothing is recorded about run:nope"},
		{"ana", "ask|", 2, `"" is no QUESTION`},
		{"ana", "ask|hi|--env=mars", 3, `no environment "mars"`},
		{"ana", "ask|hi|--model=nope", 3, `no model "nope"`},
		{"ana", "status|--key=pkey_bad", 4, "another key"},
		{"ana", "status|--watch=maybe", 2, "perennial status --help"},
		{"ana", "audit", 4, "approver"},
		{"admin", "dead-letters|replay|7", 3, "no dead letter 7"},
		{"admin", "dead-letters|replay|x", 2, "see: perennial dead-letters list"},
		{"admin", "users|add|zed|king", 2, "king"},
		{"admin", "users|add|ana|viewer", 5, "taken"},
		{"nobody", "status|" + url, 4, "sign in"},
		{"nobody", "login|-u|zed|" + url, 4, "name yourself with -u"},
	} {
		t.Run(tc.who+" "+tc.args, func(t *testing.T) {
			u := people[tc.who]
			code, said := terminal{t, u.dir}.typed(strings.Split(tc.args, "|")...)
			require.Equal(t, tc.code, code, said)
			require.Contains(t, said, tc.says)
		})
	}
}

// A file of the last sign-in that cannot be read is as good as none.
func TestCommandLine_ADamagedSignInIsDoneAgain(t *testing.T) {
	p := launch(t)
	u := terminal{t, t.TempDir()}
	file := filepath.Join(u.dir, "perennial", "login.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	for _, damaged := range []string{"", "{", `{"url":7}`, "\x00\xff", `{"url":"http://` + p.addr + `","session":"\u0000"}`} {
		require.NoError(t, os.WriteFile(file, []byte(damaged), 0o600))
		code, said := u.typed("status", "--url=http://"+p.addr)
		require.Equal(t, 4, code, damaged+said)
		require.Contains(t, said, "sign in")
	}
}

// Every command of the loop prints a table for people and, with --json, the API's answer for programs.
func TestCommandLine_TablesAndJSON(t *testing.T) {
	p := startPlatform(t)
	u := p.signedIn("admin")
	for args, says := range map[string]string{
		"status": "STAGE", "runs": "none yet", "releases": "Succeeded", "approvals": "none yet", "models": "support", "models|versions": "[champion]",
		"data|versions": "Published", "data|ingestions": "base.jsonl", "hold|list|production": "none yet", "benchmarks": "general", "users": "ben",
		"lineage|environment:support/production": "modelVersion:support@1", "lineage|datasetVersion:tickets@1|--forward": "environment:support/production",
		"ask|ready?": "version 1", "audit": "entries checked", "audit|verify": "entries checked", "dead-letters|list": "none yet",
	} {
		t.Run(args, func(t *testing.T) {
			code, said := terminal{t, u.dir}.typed(strings.Split(args, "|")...)
			require.Equal(t, 0, code, said)
			require.Contains(t, said, strings.Trim(says, "[]"))
			code, said = terminal{t, u.dir}.typed(append(strings.Split(args, "|"), "--json")...)
			require.Equal(t, 0, code, said)
			require.True(t, json.Valid([]byte(said)), said)
		})
	}
}

// A head of the audit trail that somebody noted must still be in it.
func TestCommandLine_AuditAgainstANotedHead(t *testing.T) {
	p := startPlatform(t)
	u := p.signedIn("admin")
	var report audit.Report
	code, said := terminal{t, u.dir}.typed("audit", "verify", "--json")
	require.Equal(t, 0, code, said)
	require.NoError(t, json.Unmarshal([]byte(said), &report))
	for head, want := range map[string]string{
		fmt.Sprintf("%d:%s", report.Head.Seq, report.Head.Hash):      "against the head kept elsewhere",
		fmt.Sprintf("%d:%s", report.Head.Seq, audit.Genesis):         "Rewritten",
		fmt.Sprintf("%d:%s", report.Head.Seq+1000, report.Head.Hash): "Cut",
		"12": "is not NUMBER:HASH",
	} {
		code, said := terminal{t, u.dir}.typed("audit", "verify", "--head", head)
		require.Contains(t, said, want)
		require.Equal(t, want == "against the head kept elsewhere", code == 0, said)
	}
}

// The first start in a terminal: the one-time password opens nothing but the way to an own one.
func TestCommandLine_FirstStart(t *testing.T) {
	p := launch(t)
	once, err := os.ReadFile(filepath.Join(p.dir, "data", "password"))
	require.NoError(t, err)
	u := terminal{t, t.TempDir()}
	t.Setenv("PERENNIAL_PASSWORD", string(once))
	code, said := u.typed("login", "--url", "http://"+p.addr)
	require.Equal(t, 0, code, said)
	require.Contains(t, said, "perennial passwd")
	code, said = u.typed("status")
	require.Equal(t, 4, code)
	require.Contains(t, said, "perennial passwd")
	t.Setenv("PERENNIAL_NEW_PASSWORD", "short")
	code, said = u.typed("passwd")
	require.Equal(t, 2, code, said)
	t.Setenv("PERENNIAL_NEW_PASSWORD", secret)
	code, said = u.typed("passwd")
	require.Equal(t, 0, code, said)
	code, said = u.typed("status")
	require.Equal(t, 0, code, said)
	code, said = u.typed("login", "--url", "http://"+p.addr)
	require.Equal(t, 4, code, "the one-time password works once: "+said)
	p.restart()
	code, said = u.typed("status")
	require.Equal(t, 0, code, "the session outlives a kill: "+said)
	code, said = u.typed("logout")
	require.Equal(t, 0, code, said)
	code, _ = u.typed("status")
	require.Equal(t, 4, code)
}
