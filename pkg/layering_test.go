package pkg_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/perennial-llm/perennial"

// layer is a floor of the architecture.
type layer string

const (
	leaf      layer = "leaf"
	core      layer = "core"
	transport layer = "transport"
	adapter   layer = "adapter"
	wiring    layer = "wiring" // of the one-machine platform
	awsWiring layer = "wiring on AWS"
	suites    layer = "suites" // conformance suites for tests
	data      layer = "data"   // embedded files
	function  layer = "function"
	infra     layer = "infra"
	script    layer = "script"
	nothing   layer = "nothing" // no code of the product
)

// layers gives each folder its layer; the longest match counts. A new folder must be entered here.
var layers = map[string]layer{
	"pkg": nothing, "pkg/errs": leaf, "pkg/ids": leaf, "pkg/config": leaf, "pkg/table": leaf, "pkg/stats": leaf, "pkg/asl": leaf,
	"pkg/rules": leaf, "pkg/object": leaf,
	"pkg/dataset": core, "pkg/benchmark": core, "pkg/registry": core, "pkg/training": core, "pkg/gate": core, "pkg/rollout": core,
	"pkg/monitor": core, "pkg/audit": core, "pkg/identity": core, "pkg/lineage": core,
	"pkg/httpapi": transport, "pkg/tasks": transport,
	"pkg/aws": adapter, "pkg/local/": adapter,
	"pkg/local": wiring, "pkg/local/cli": wiring, "pkg/local/command": wiring, "pkg/local/demo": wiring,
	"pkg/aws/host":          awsWiring,
	"pkg/porttest":          suites,
	"pkg/asl/jsonata/suite": wiring, // runs a fetched suite for the command line
	"statemachines":         data, "frontend": data, "training": data,
	"functions": function, "infra": infra, "scripts": script,
}

// mayImport is the dependency rule: nothing points up.
var mayImport = map[layer][]layer{
	leaf:      {leaf},
	core:      {leaf, core},
	transport: {leaf, core, transport},
	adapter:   {leaf, core},
	wiring:    {leaf, core, transport, adapter, wiring, data},
	awsWiring: {leaf, core, transport, adapter, data},
	suites:    {leaf, core},
	function:  {leaf, core, transport, adapter, awsWiring, data},
	infra:     {infra, data},
	script:    {leaf, core, wiring, script, data},
}

// exceptions are imports by a layer that the rule does not give, each with its reason.
var exceptions = map[layer]map[string]string{
	infra: {
		"pkg/config":   "environment variables are named once",
		"pkg/identity": "the groups of the user pool are the roles, named once",
	},
}

// thirdParty is all that leaves and core may import from outside: pure algorithms and formats.
var thirdParty = map[string][]string{
	"pkg/ids":         {"github.com/oklog/ulid/v2"},
	"pkg/stats":       {"gonum.org/v1/gonum", "github.com/DataDog/sketches-go", "github.com/axiomhq/hyperloglog"},
	"pkg/asl/jsonata": {"github.com/dop251/goja", "github.com/dlclark/regexp2/v2"},
	"pkg/rules":       {"github.com/winebarrel/cronplan"},
	"pkg/benchmark":   {"golang.org/x/text/unicode/norm", "gopkg.in/yaml.v3"},
	"pkg/dataset":     {"golang.org/x/text/unicode/norm", "github.com/klauspost/compress"},
}

// outward are parts of the standard library that reach out of the process: not for leaves and core.
var outward = []string{"net", "net/http", "database/sql", "os/exec", "plugin"}

type goPackage struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
	Error      *struct{ Err string }
}

func (p goPackage) path() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func listPackages(t *testing.T) []goPackage {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Imports,GoFiles,Error", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var all []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

// layerOf finds the layer of a package by its folder or the nearest one above.
func layerOf(pkg string) (layer, bool) {
	if l, ok := layers[pkg]; ok {
		return l, true
	}
	for dir := path.Dir(pkg); dir != "."; dir = path.Dir(dir) {
		if l, ok := layers[dir+"/"]; ok {
			return l, true
		}
		if l, ok := layers[dir]; ok && dir != "pkg" {
			return l, true
		}
	}
	return "", false
}

// family is the adapter that a package is part of, such as pkg/aws/s3.
func family(pkg string) string {
	parts := strings.SplitN(pkg, "/", 4)
	return path.Join(parts[:min(3, len(parts))]...)
}

// TestLayering_NothingPointsUp holds every import of every package to the dependency rule.
func TestLayering_NothingPointsUp(t *testing.T) {
	for _, p := range listPackages(t) {
		from, known := layerOf(p.path())
		if !known {
			t.Errorf("%s has no layer: enter its folder in layers", p.path())
			continue
		}
		for _, imported := range p.Imports {
			if to, ours := strings.CutPrefix(imported, module+"/"); ours {
				checkOurs(t, p.path(), from, to)
			} else {
				checkForeign(t, p.path(), from, imported)
			}
		}
	}
}

func checkOurs(t *testing.T, pkg string, from layer, to string) {
	t.Helper()
	if exceptions[from][to] != "" {
		return
	}
	target, known := layerOf(to)
	switch {
	case !known:
		return // said already
	case from == adapter && target == adapter:
		if family(pkg) != family(to) && to != "pkg/aws" {
			t.Errorf("adapter %s imports adapter %s", pkg, to)
		}
	case (from == function || from == awsWiring) && strings.HasPrefix(to, "pkg/local"), from == wiring && strings.HasPrefix(to, "pkg/aws"):
		t.Errorf("%s imports %s, which belongs to the other family", pkg, to)
	case !slices.Contains(mayImport[from], target):
		t.Errorf("%s (%s) imports %s (%s)", pkg, from, to, target)
	}
}

func checkForeign(t *testing.T, pkg string, from layer, imported string) {
	t.Helper()
	standard := !strings.Contains(strings.Split(imported, "/")[0], ".")
	inner := from == leaf || from == core
	switch {
	case inner && standard && slices.Contains(outward, imported):
		t.Errorf("%s (%s) imports %s", pkg, from, imported)
	case inner && !standard && !within(imported, modulesOf(pkg)):
		t.Errorf("%s (%s) imports %s, which is not in thirdParty", pkg, from, imported)
	case from == transport && strings.HasPrefix(imported, "github.com/aws/aws-sdk-go-v2"):
		t.Errorf("transport %s imports the AWS SDK", pkg)
	case from != infra && strings.HasPrefix(imported, "github.com/aws/aws-cdk-go"):
		t.Errorf("%s imports the CDK", pkg)
	case from != suites && within(imported, []string{"testing", "github.com/stretchr/testify", "pgregory.net/rapid"}):
		t.Errorf("%s imports %s outside of tests", pkg, imported)
	}
}

// modulesOf gives what a package, or the folder above it, may import from outside.
func modulesOf(pkg string) []string {
	if modules, ok := thirdParty[pkg]; ok {
		return modules
	}
	return thirdParty[path.Dir(pkg)]
}

func within(imported string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") })
}

// TestLayering_SawEveryPackage walks the folders by itself: a check that overlooks a package proves nothing.
func TestLayering_SawEveryPackage(t *testing.T) {
	listed := map[string]bool{}
	for _, p := range listPackages(t) {
		listed[p.path()] = true
	}
	found := map[string]bool{}
	require.NoError(t, filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && file != ".." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || slices.Contains([]string{"node_modules", "testdata", "cdk.out", "dist"}, name)) {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(name, ".go") {
			rel, err := filepath.Rel("..", filepath.Dir(file))
			found[filepath.ToSlash(rel)] = true
			return err
		}
		return nil
	}))
	require.Equal(t, found, listed)
	require.Greater(t, len(found), 20)
	for folder, l := range layers {
		if l == leaf || l == core {
			require.True(t, found[folder], "%s is named in layers but is not there", folder)
		}
	}
}

// TestLayering_CoreGoesByItsClock finds calls of the wall clock in leaves and core.
func TestLayering_CoreGoesByItsClock(t *testing.T) {
	for _, p := range listPackages(t) {
		l, _ := layerOf(p.path())
		if (l != leaf && l != core) || p.path() == "pkg/ids" {
			continue
		}
		for _, file := range p.GoFiles {
			for _, place := range wallClockCalls(t, filepath.Join(p.Dir, file)) {
				t.Errorf("%s: core takes an ids.Clock", place)
			}
		}
	}
}

func wallClockCalls(t *testing.T, file string) (places []string) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(tree, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
			places = append(places, fmt.Sprintf("%s: time.%s", set.Position(sel.Pos()), sel.Sel.Name))
		}
		return true
	})
	return places
}

// TestLayering_TheRuleBites tries imports that must be refused.
func TestLayering_TheRuleBites(t *testing.T) {
	for _, c := range [][2]string{
		{"pkg/audit", "pkg/local/sqlite"}, {"pkg/table", "pkg/audit"}, {"pkg/httpapi", "pkg/aws/s3"}, {"pkg/tasks", "pkg/local/sqlite"},
		{"pkg/aws/s3", "pkg/aws/dynamo"}, {"pkg/local/files", "pkg/local/sqlite"}, {"pkg/aws/s3", "pkg/httpapi"}, {"pkg/local", "pkg/aws/s3"},
		{"functions/api", "pkg/local/sqlite"}, {"infra/stacks", "pkg/rollout"}, {"pkg/local", "functions/api"}, {"pkg/porttest", "pkg/aws/s3"},
	} {
		probe := &testing.T{}
		from, known := layerOf(c[0])
		require.True(t, known, c[0])
		checkOurs(probe, c[0], from, c[1])
		require.True(t, probe.Failed(), "%s may not import %s", c[0], c[1])
	}
	for _, c := range [][2]string{
		{"pkg/audit", "net/http"}, {"pkg/table", "database/sql"}, {"pkg/gate", "gonum.org/v1/gonum/stat"}, {"pkg/rollout", "github.com/aws/aws-sdk-go-v2/aws"},
		{"pkg/tasks", "github.com/aws/aws-sdk-go-v2/service/s3"}, {"pkg/local", "github.com/aws/aws-cdk-go/awscdk/v2"}, {"pkg/httpapi", "testing"},
	} {
		probe := &testing.T{}
		from, _ := layerOf(c[0])
		checkForeign(probe, c[0], from, c[1])
		require.True(t, probe.Failed(), "%s may not import %s", c[0], c[1])
	}
}
