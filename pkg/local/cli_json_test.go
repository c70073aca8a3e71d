package local_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/command"
)

// printsFiles are the commands whose answer is a file as it is.
var printsFiles = map[string]bool{"perennial data rejects": true}

// program is a program that uses the command line: it asks for JSON and reads it.
type program struct {
	*platform
	people map[string]terminal
	called map[string]bool
}

// says runs a command line, its words parted by |, and gives a field of the JSON that it answers with.
func (p *program) says(who, line string, code int, field string) string {
	p.t.Helper()
	args := append(strings.Split(line, "|"), "--json")
	cmd, _, err := command.New("test").Find(args)
	require.NoError(p.t, err)
	p.called[cmd.CommandPath()] = true
	got, out, problems := p.people[who].parted(args...)
	require.Equal(p.t, code, got, line+": "+out+problems)
	text := out
	if out == "" {
		text = problems
	}
	var answer map[string]any
	require.NoError(p.t, json.Unmarshal([]byte(text), &answer), line+": "+text)
	if field == "" {
		return ""
	}
	require.NotEmpty(p.t, answer[field], text)
	value, _ := answer[field].(string)
	return value
}

// Every command that talks to a platform answers in JSON who asks for it: what came of it, or what went wrong.
func TestCommandLine_EveryCommandSpeaksJSON(t *testing.T) {
	p := &program{startPlatform(t), map[string]terminal{}, map[string]bool{}}
	for _, who := range []string{"admin", "ana", "ben", "eve"} {
		p.people[who] = p.signedIn(who)
	}
	t.Setenv("PERENNIAL_MODEL", "support")
	p.looks()
	p.bringsData()
	p.trains()
	p.releases()
	p.administers()
	for _, c := range talking(command.New("test")) {
		require.True(t, p.called[c] || printsFiles[c], "%s was not asked for JSON", c)
	}
}

// talking gives the commands that do something at a running platform.
func talking(root *cobra.Command) []string {
	var out []string
	for _, c := range root.Commands() {
		if c.GroupID == "use" || root.HasParent() {
			if !c.HasSubCommands() || strings.Contains(c.Use, "[") {
				out = append(out, c.CommandPath())
			}
			out = append(out, talking(c)...)
		}
	}
	return out
}

func (p *program) looks() {
	for _, line := range []string{"status", "models", "models|versions", "runs", "releases", "approvals", "benchmarks", "data|versions", "data|ingestions",
		"hold|list|production", "users", "dead-letters|list", "audit", "audit|verify", "lineage|environment:support/production", "ask|ready?"} {
		p.says("admin", line, 0, "")
	}
}

func (p *program) bringsData() {
	p.says("ana", "data|create|more", 0, "id")
	bad := filepath.Join(p.dir, "bad.jsonl")
	require.NoError(p.t, os.WriteFile(bad, []byte("{}\n{}\n"+`{"prompt":"a","completion":"b"}`), 0o600))
	for _, verb := range []string{"publish", "discard"} {
		id := p.says("ana", "data|add|"+bad+"|--dataset=more", 2, "id")
		p.says("ana", "data|"+verb+"|"+id+"|--reason=seen", 0, "status")
	}
	p.says("ana", "data|add|"+p.file("news", 5), 0, "datasetVersion")
	p.says("ana", "data|retract|2|--reason=wrong prices", 0, "digest")
	p.says("ana", "data|add|"+p.file("newer", 5), 0, "datasetVersion")
}

func (p *program) trains() {
	p.says("ana", "models|add|other|--dataset=more", 0, "id")
	p.says("ana", "models|import|"+p.folder("second")+"|--reason=by hand", 0, "digest")
	p.says("ana", "models|policy", 0, "digest")
	p.says("admin", "models|anchor|1|--reason=signed off", 0, "id")
	run := p.says("ana", "train|--reason=now", 0, "id")
	p.says("ana", "runs|"+run, 0, "run")
	p.says("ana", "runs|logs|"+run, 0, "")
	p.says("ana", "runs|cancel|"+run+"|--reason=not yet", 0, "status")
	run = p.says("ana", "runs|retry|"+run, 0, "id")
	p.says("ana", "runs|cancel|"+run+"|--reason=not at all", 0, "status")
}

func (p *program) releases() {
	ask := "release|2|--to=production|--break-glass|--reason=a customer insists"
	p.says("eve", "reject|"+p.says("ana", ask, 0, "approval")+"|--reason=not on my watch", 0, "status")
	rel := p.says("ana", ask, 0, "id")
	approval := p.says("ana", "releases|"+rel, 0, "approval")
	p.says("ben", "approve|"+approval+"|--reason=good", 0, "status")
	p.says("eve", "approve|"+approval+"|--reason=good", 0, "status")
	p.until("version 2 is live", func() bool { return !p.release(rel).Ended.IsZero() && p.live("production") == 2 })
	hold := p.says("ben", "rollback|production|--reason=drill", 0, "hold")
	p.says("ana", "hold|release|production|"+hold+"|--reason=over", 0, "released")
	p.says("ana", "hold|add|staging|2|--reason=not here", 0, "id")
}

func (p *program) administers() {
	p.says("admin", "keys|add|shop", 0, "token")
	p.says("admin", "users|add|zed|viewer", 0, "oneTimePassword")
	p.says("admin", "dead-letters|replay|7", 3, "error")
	p.says("admin", "login|-u|admin|--url=http://"+p.addr, 0, "user")
	p.t.Setenv("PERENNIAL_NEW_PASSWORD", "another long password")
	p.says("admin", "passwd", 0, "")
	p.says("admin", "logout", 0, "signedOutOf")
}
