// Package build_test tests the scripts that the Makefile calls.
package build_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// good are tools that are there and new enough: a name and what its script does.
var good = map[string]string{
	"git": "", "mvn": "", "npm": "", "go": "echo go version go1.99.0 linux/amd64", "node": "echo v20.19.4",
	"python3": `case "$2" in *platform*) echo 3.11.2 ;; esac`, "java": `echo 'openjdk version "17.0.9" 2023-10-17' >&2`,
}

// shell are the programs that the script itself needs.
var shell = []string{"bash", "env", "awk", "sed", "sort", "head", "tr", "dirname"}

// machine makes a PATH with the good tools, some of them changed or, with "-", taken away.
func machine(t *testing.T, change map[string]string) string {
	dir := t.TempDir()
	for _, name := range shell {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(dir, name)))
	}
	for name, does := range good {
		if other, ok := change[name]; ok {
			does = other
		}
		if does != "-" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/usr/bin/env bash\n"+does+"\n"), 0o700))
		}
	}
	return dir
}

func check(t *testing.T, path string) (said string, err error) {
	cmd := exec.Command("./tools.sh", "git", "go", "node", "python", "java")
	cmd.Env = []string{"PATH=" + path}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTools_AllThere(t *testing.T) {
	said, err := check(t, machine(t, nil))
	require.NoError(t, err, said)
	require.Empty(t, said)
}

func TestTools_SaysWhatIsMissingOrTooOld(t *testing.T) {
	for name, try := range map[string]struct{ tool, does, says string }{
		"no git":          {"git", "-", "git is missing: install it"},
		"no Go":           {"go", "-", "go is missing: install Go 1.26"},
		"old Go":          {"go", "echo go version go1.19.8 linux/amd64", "go is 1.19.8: install Go 1.26"},
		"Go that may not": {"go", "echo 'go: go.mod requires go >= 1.26.0 (running go 1.24.1; GOTOOLCHAIN=local)' >&2; exit 1", "go does not start: go: go.mod requires"},
		"no Node":         {"node", "-", "node or npm is missing: install Node 20.19"},
		"no npm":          {"npm", "-", "node or npm is missing: install Node 20.19"},
		"old Node":        {"node", "echo v18.19.0", "node is 18.19.0: install Node 20.19"},
		"broken Node":     {"node", "exit 127", "node is broken: install Node 20.19"},
		"no Python":       {"python3", "-", "python3 is missing: install Python 3.11"},
		"old Python":      {"python3", "echo 3.9.2", "python3 is 3.9.2: install Python 3.11"},
		"bare Python":     {"python3", `case "$2" in *platform*) echo 3.13.0 ;; *) exit 1 ;; esac`, "python3 has no venv: install it (Debian: apt-get install python3-venv)"},
		"no Java":         {"java", "-", "java is missing: install a JDK 17"},
		"old Java":        {"java", `echo 'java version "1.8.0_392"' >&2`, "java is 1.8.0: install a JDK 17"},
		"broken Java":     {"java", "exit 1", "java is broken: install a JDK 17"},
		"no Maven":        {"mvn", "-", "mvn is missing: install a JDK 17"},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := check(t, machine(t, map[string]string{try.tool: try.does}))
			require.Error(t, err)
			require.Contains(t, said, try.says)
		})
	}
}

func TestTools_SaysAllAtOnce(t *testing.T) {
	said, err := check(t, machine(t, map[string]string{"go": "-", "node": "-", "java": "-"}))
	require.Error(t, err)
	for _, name := range []string{"go", "node", "java"} {
		require.Contains(t, said, name+" ")
	}
}
