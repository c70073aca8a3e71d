package main_test

import (
	"archive/zip"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/infra/stacks"
)

var update = flag.Bool("update", false, "write the golden templates of testdata/ again")

// templates are those of a deployment without settings. Tests share one synthesis: it takes seconds.
var templates set

// set is the synthesized templates by stack.
type set map[string]template

// template is a CloudFormation template as far as the tests look.
type template struct {
	raw       []byte
	Resources map[string]resource
}

type resource struct {
	Type           string
	Properties     map[string]any
	DeletionPolicy string
}

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "perennial-infra-")
	if err == nil {
		templates, err = synthesize(dir, nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "synthesize:", err)
		os.Exit(1)
	}
	code := m.Run()
	jsii.Close()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// synthesize builds the app as cdk.json describes it, with stand-ins for what is built elsewhere, and settings.
func synthesize(dir string, settings map[string]any) (set, error) {
	context, err := contextOf("../cdk.json")
	if err != nil {
		return nil, err
	}
	context["dist"], context["code"], context["web"] = filepath.Join(dir, "dist"), "testdata/code", "testdata/web"
	maps.Copy(context, settings)
	if err := standIns(filepath.Join(dir, "dist")); err != nil {
		return nil, err
	}
	major := "20"
	for _, name := range []string{"END_OF_LIFE_NODE_VERSION", "DEPRECATED_NODE_VERSION"} {
		os.Setenv("JSII_SILENCE_WARNING_"+name, major)
	}
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(filepath.Join(dir, "out")), Context: &context, AnalyticsReporting: jsii.Bool(false)})
	stacks.Build(app, stacks.FromContext(app))
	app.Synth(nil)
	return readTemplates(filepath.Join(dir, "out"))
}

func contextOf(path string) (map[string]any, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct{ Context map[string]any }
	return file.Context, json.Unmarshal(b, &file)
}

// standIns makes an archive for every folder of functions/.
func standIns(dist string) error {
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	for _, name := range folders() {
		f, err := os.Create(filepath.Join(dist, name+".zip"))
		if err != nil {
			return err
		}
		z := zip.NewWriter(f)
		_, err = z.Create("bootstrap")
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// folders are the names of the functions in the repository.
func folders() []string {
	mains, _ := filepath.Glob("../functions/*/main.go")
	var out []string
	for _, m := range mains {
		out = append(out, filepath.Base(filepath.Dir(m)))
	}
	return out
}

func readTemplates(dir string) (set, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.template.json"))
	out := set{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		t := template{raw: b}
		if err := json.Unmarshal(b, &t); err != nil {
			return nil, err
		}
		out[strings.TrimSuffix(filepath.Base(p), ".template.json")] = t
	}
	return out, err
}

// of gives all resources of a type by "stack/logical id".
func of(kind string) map[string]resource { return templates.of(kind) }

func (s set) of(kind string) map[string]resource {
	out := map[string]resource{}
	for stack, t := range s {
		for id, r := range t.Resources {
			if r.Type == kind {
				out[stack+"/"+id] = r
			}
		}
	}
	return out
}

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

func TestTemplates_AreAsReviewed(t *testing.T) {
	require.Len(t, templates, 5)
	for stack, tpl := range templates {
		t.Run(stack, func(t *testing.T) {
			golden := filepath.Join("testdata", stack+".template.json")
			got := assetHash.ReplaceAllString(string(tpl.raw), "<asset>") + "\n"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.JSONEq(t, string(want), got, "the template changed: look at it, then run go test ./infra -update")
		})
	}
}

// Nor does it matter what tools left beside the training code.
func TestTemplates_AreTheSameEachTime(t *testing.T) {
	code := filepath.Join(t.TempDir(), "code")
	require.NoError(t, os.CopyFS(code, os.DirFS("testdata/code")))
	for _, left := range []string{"__pycache__/train.cpython-311.pyc", ".ruff_cache/1", "continual/.DS_Store", "tests/test_train.py"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(code, left)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(code, left), []byte("left"), 0o600))
	}
	again, err := synthesize(t.TempDir(), map[string]any{"code": code})
	require.NoError(t, err)
	for stack, tpl := range templates {
		require.Equal(t, string(tpl.raw), string(again[stack].raw), stack)
	}
}
