package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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

// What a person may get wrong, and what the command line answers: an exit code and what to do.
func TestMain_BadUse(t *testing.T) {
	nowhere := "--url=http://127.0.0.1:1"
	file := filepath.Join(t.TempDir(), "not-a-folder")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	for name, tc := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"unknown command":        {[]string{"learn"}, 2, []string{`unknown command "learn"`, "--help"}},
		"unknown flag":           {[]string{"runs", "--fast"}, 2, []string{"unknown flag: --fast", "perennial runs --help"}},
		"missing argument":       {[]string{"approve"}, 2, []string{"takes 1 argument(s): APPROVAL"}},
		"too many arguments":     {[]string{"status", "now"}, 2, []string{"takes 0 argument(s)"}},
		"no platform":            {[]string{"status", nowhere}, 1, []string{"no platform answers at http://127.0.0.1:1", "perennial up"}},
		"bad address":            {[]string{"status", "--url=:"}, 2, []string{"--url"}},
		"no version number":      {[]string{"release", "two", "--model=m", nowhere}, 2, []string{`"two" is no version number`}},
		"training is elsewhere":  {[]string{"up", "--training=/nowhere", "--data=" + t.TempDir()}, 2, []string{"--training", "make python"}},
		"python is elsewhere":    {[]string{"up", "--training=.", "--python=/nowhere", "--data=" + t.TempDir()}, 2, []string{"--python", "make python"}},
		"data is a file":         {[]string{"up", "--training=.", "--python=.", "--port=0", "--data=" + file}, 1, []string{"data folder"}},
		"port is no port":        {[]string{"up", "--training=.", "--python=.", "--port=99999", "--data=" + t.TempDir()}, 2, []string{"port 99999", "--port"}},
		"no such demo":           {[]string{"demo", "--training=.", "--python=.", "--model-size=huge", "--data=" + t.TempDir()}, 2, []string{"huge", "smol or tiny"}},
		"demo over other things": {[]string{"demo", "--training=.", "--python=.", "--data=" + filepath.Dir(file)}, 2, []string{"no demo's folder", "--data"}},
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

func TestMain_HelpNamesEveryCommand(t *testing.T) {
	code, out, _ := call(t, "--help")
	require.Equal(t, 0, code)
	for _, name := range []string{"up", "demo", "data", "runs", "approve", "release", "rollback", "hold", "lineage", "ask", "status", "gate", "asl"} {
		require.Contains(t, out, "\n  "+name+" ")
	}
}
