package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local"
	"github.com/perennial-llm/perennial/pkg/local/command"
)

// call runs the command line and gives the exit code and what it printed.
func call(t *testing.T, args ...string) (code int, out, problems string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var o, p bytes.Buffer
	code = command.Main("test", args, &o, &p)
	return code, o.String(), p.String()
}

// The door "command line" without a platform: what a person may get wrong, the exit code, and what to do.
// Those at a running platform are in pkg/local/cli_test.go.
func TestMain_BadUse(t *testing.T) {
	nowhere := "--url=http://127.0.0.1:1"
	file := filepath.Join(t.TempDir(), "not-a-folder")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	script := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700))
		return "--python=" + path
	}
	python := script("python", "exit 0")
	port, inUse := taken(t), running(t)
	for name, tc := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"unknown command":        {[]string{"learn"}, 2, []string{`unknown command "perennial learn"`, "--help"}},
		"unknown flag":           {[]string{"runs", "--fast"}, 2, []string{"unknown flag: --fast", "perennial runs --help"}},
		"missing argument":       {[]string{"approve"}, 2, []string{"takes one argument: APPROVAL"}},
		"too many arguments":     {[]string{"status", "now"}, 2, []string{"takes no arguments"}},
		"no platform":            {[]string{"status", nowhere}, 1, []string{"no platform answers at http://127.0.0.1:1", "perennial up"}},
		"bad address":            {[]string{"status", "--url=:"}, 2, []string{"--url"}},
		"no version number":      {[]string{"release", "two", "--model=m", nowhere}, 2, []string{`"two" is no version number`}},
		"training is elsewhere":  {[]string{"up", "--training=/nowhere", python, "--data=" + t.TempDir()}, 2, []string{"--training", "make python"}},
		"python is elsewhere":    {[]string{"up", "--training=.", "--python=/nowhere", "--data=" + t.TempDir()}, 2, []string{"--python", "make python"}},
		"python is a folder":     {[]string{"up", "--training=.", "--python=.", "--data=" + t.TempDir()}, 2, []string{"--python", "does not run", "make python"}},
		"python is broken":       {[]string{"up", "--training=.", script("broken", "exit 3"), "--data=" + t.TempDir()}, 2, []string{"exit status 3", "make python"}},
		"python is bare":         {[]string{"up", "--training=.", script("bare", "echo torch peft"), "--data=" + t.TempDir()}, 2, []string{"lacks torch peft", "make python"}},
		"data is a file":         {[]string{"up", "--training=.", python, "--port=0", "--data=" + file}, 2, []string{"data folder", "not a directory", "--data"}},
		"data is in use":         {[]string{"up", "--training=.", python, "--port=0", "--data=" + inUse}, 5, []string{"another platform runs on " + inUse, "stop it"}},
		"data are damaged":       {[]string{"up", "--training=.", python, "--port=0", "--data=" + damaged(t)}, 1, []string{"perennial.db", "a database of this platform"}},
		"port is no port":        {[]string{"up", "--training=.", python, "--port=99999", "--data=" + t.TempDir()}, 2, []string{"port 99999", "--port"}},
		"port is a word":         {[]string{"up", "--port=http"}, 2, []string{`invalid argument "http"`, "perennial up --help"}},
		"port is taken":          {[]string{"up", "--training=.", python, "--port=" + port, "--data=" + t.TempDir()}, 5, []string{"port " + port + " is taken", "--port"}},
		"up takes no words":      {[]string{"up", "now"}, 2, []string{"takes no arguments", "perennial up --help"}},
		"no such demo":           {[]string{"demo", "--training=.", python, "--model-size=huge", "--data=" + t.TempDir()}, 2, []string{"huge", "smol or tiny"}},
		"no such act":            {[]string{"demo", "--training=.", python, "--until=coffee", "--data=" + t.TempDir()}, 2, []string{"coffee", "base, "}},
		"demo over other things": {[]string{"demo", "--training=.", python, "--data=" + filepath.Dir(file)}, 2, []string{"no demo's folder", "--data"}},
		"demo over a running":    {[]string{"demo", "--training=.", python, "--data=" + inUse}, 5, []string{"another platform runs on", "--data"}},
		"no such group":          {[]string{"asl", "check"}, 2, []string{`unknown command "perennial asl check"`, "perennial asl --help"}},
		"gate without results":   {[]string{"gate"}, 2, []string{"--incumbent"}},
		"machine that is none":   {[]string{"asl", "lint", file}, 1, nil},
		"schedule that is none":  {[]string{"rules", "next", "--schedule=sometimes"}, 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, problems := call(t, tc.args...)
			require.Equal(t, tc.code, code, out+problems)
			for _, s := range tc.says {
				require.Contains(t, problems, s)
			}
		})
	}
}

// The door "configuration" of the command line: the environment and the file that remembers a sign-in. That of the
// deployed functions is in pkg/config.
func TestMain_BadEnvironment(t *testing.T) {
	for name, tc := range map[string]struct {
		variable, value string
		args            []string
		code            int
		says            []string
	}{
		"no such demo":          {"DEMO_MODEL", "huge", []string{"demo"}, 2, []string{"DEMO_MODEL", "smol or tiny"}},
		"python is elsewhere":   {"PERENNIAL_PYTHON", "/nowhere", []string{"up", "--training=."}, 2, []string{"/nowhere is not there", "make python"}},
		"training is elsewhere": {"PERENNIAL_TRAINING", "/nowhere", []string{"up"}, 2, []string{"/nowhere is not there", "make python"}},
		"address is none":       {"PERENNIAL_URL", "localhost:7070", []string{"status"}, 2, []string{"localhost:7070", "http://localhost:7070"}},
		"address is empty":      {"PERENNIAL_URL", "http://", []string{"status"}, 2, []string{"http://localhost:7070"}},
		"key is no key":         {"PERENNIAL_KEY", "pkey_a\nb", []string{"status", "--url=http://127.0.0.1:1"}, 2, []string{"key", "perennial keys add"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(tc.variable, tc.value)
			code, out, problems := call(t, tc.args...)
			require.Equal(t, tc.code, code, out+problems)
			for _, s := range tc.says {
				require.Contains(t, problems, s)
			}
		})
	}
}

// taken gives a port on which something listens.
func taken(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// running gives the folder of a demo on which a platform runs.
func running(t *testing.T) string {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".perennial-demo"), nil, 0o600))
	p, err := local.Open(t.Context(), local.Options{Data: dir, Code: ".", Python: "python3"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close(context.Background())) })
	return dir
}

// damaged gives a data folder whose records cannot be read.
func damaged(t *testing.T) string {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "perennial.db"), []byte(strings.Repeat("no database ", 100)), 0o600))
	return dir
}

// A refused start leaves everything as it was: the folder of the demo that ran last, and a folder that is not made.
func TestMain_ARefusedStartChangesNothing(t *testing.T) {
	dir, python := t.TempDir(), filepath.Join(t.TempDir(), "python")
	require.NoError(t, os.WriteFile(python, []byte("#!/bin/sh\nexit 0\n"), 0o700))
	for _, name := range []string{".perennial-demo", "demo-report.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600))
	}
	port := "--port=" + taken(t)
	code, _, said := call(t, "demo", "--training=.", "--python="+python, "--data="+dir, port)
	require.Equal(t, 5, code, said)
	require.FileExists(t, filepath.Join(dir, "demo-report.json"))
	fresh := filepath.Join(t.TempDir(), "new")
	code, _, said = call(t, "up", "--training=.", "--python="+python, "--data="+fresh, port)
	require.Equal(t, 5, code, said)
	require.NoDirExists(t, fresh)
}

// What goes wrong is told as JSON to who asked for JSON.
func TestMain_ProblemsAsJSON(t *testing.T) {
	code, out, problems := call(t, "status", "--json", "--url=http://127.0.0.1:1")
	require.Equal(t, 1, code)
	require.Empty(t, out)
	var said struct {
		Error struct{ Code, Message, Hint string }
	}
	require.NoError(t, json.Unmarshal([]byte(problems), &said), problems)
	require.Equal(t, "Unavailable", said.Error.Code)
	require.Contains(t, said.Error.Message, "no platform answers")
	require.Contains(t, said.Error.Hint, "perennial up")
}

func TestMain_HelpNamesEveryCommand(t *testing.T) {
	code, out, _ := call(t, "--help")
	require.Equal(t, 0, code)
	for _, name := range []string{"up", "demo", "data", "runs", "approve", "release", "rollback", "hold", "lineage", "ask", "status", "gate", "asl"} {
		require.Contains(t, out, "\n  "+name+" ")
	}
}
