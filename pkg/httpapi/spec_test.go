package httpapi_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ogen-go/ogen"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/perennial-llm/perennial/pkg/httpapi"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// operation is one operation of the spec as the tests need it.
type operation struct {
	Method, Path string
	ID           string           `yaml:"operationId"`
	Tags         []string         `yaml:"tags"`
	Summary      string           `yaml:"summary"`
	Permission   string           `yaml:"x-permission"`
	IfMatch      string           `yaml:"x-if-match"`
	Idempotency  string           `yaml:"x-idempotency"`
	Security     []map[string]any `yaml:"security"`
	Parameters   []map[string]any `yaml:"parameters"`
	RequestBody  map[string]any   `yaml:"requestBody"`
	Responses    map[string]any   `yaml:"responses"`
}

type spec struct {
	Paths      map[string]map[string]operation `yaml:"paths"`
	Components struct {
		Schemas map[string]map[string]any `yaml:"schemas"`
	} `yaml:"components"`
}

func readSpec(t *testing.T) (spec, []operation) {
	src, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	var s spec
	require.NoError(t, yaml.Unmarshal(src, &s))
	var ops []operation
	for path, methods := range s.Paths {
		for method, op := range methods {
			op.Method, op.Path = strings.ToUpper(method), path
			ops = append(ops, op)
		}
	}
	slices.SortFunc(ops, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	require.Greater(t, len(ops), 80, "the spec was not seen")
	return s, ops
}

func (o operation) has(parameter string) bool {
	return slices.ContainsFunc(o.Parameters, func(p map[string]any) bool { return p["$ref"] == "#/components/parameters/"+parameter })
}

func TestSpec_IsOpenAPI(t *testing.T) {
	src, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	parsed, err := ogen.Parse(src)
	require.NoError(t, err)
	require.Equal(t, "3.1.0", parsed.OpenAPI)
}

func TestSpec_EveryOperationFollowsTheRules(t *testing.T) {
	_, ops := readSpec(t)
	seen := map[string]bool{}
	for _, op := range ops {
		require.False(t, seen[op.ID], "operationId %s twice", op.ID)
		seen[op.ID] = true
		require.Regexp(t, `^[a-z][A-Za-z]+$`, op.ID)
		require.Len(t, op.Tags, 1, op.ID)
		require.NotEmpty(t, op.Summary, op.ID)
		require.True(t, strings.HasPrefix(op.Path, "/v1/"), op.Path)
		require.Equal(t, map[string]any{"$ref": "#/components/responses/Problem"}, op.Responses["default"], op.ID)
		require.Equal(t, op.IfMatch == "required", op.has("IfMatch"), op.ID)
		require.Equal(t, op.Idempotency == "required", op.has("IdempotencyKey"), op.ID)
		require.Equal(t, op.Permission == "public", op.Security != nil, "security: [] goes with x-permission: public in %s", op.ID)
		if op.Method == "GET" {
			require.Nil(t, op.RequestBody, op.ID)
		}
		for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(op.Path, -1) {
			require.NotEmpty(t, op.Parameters, "%s lacks parameter %s", op.ID, name[1])
		}
	}
}

func TestSpec_PermissionsAreThoseOfThePlatform(t *testing.T) {
	s, ops := readSpec(t)
	listed := s.Components.Schemas["Permission"]["enum"].([]any)
	require.Len(t, listed, len(identity.Permissions))
	for _, p := range identity.Permissions {
		require.Contains(t, listed, string(p))
	}
	require.ElementsMatch(t, []any{"viewer", "data-engineer", "ml-engineer", "approver", "admin"}, s.Components.Schemas["Role"]["enum"])
	for _, op := range ops {
		known := op.Permission == "public" || op.Permission == "authenticated" || slices.Contains(identity.Permissions, identity.Permission(op.Permission))
		require.True(t, known, "%s wants %q", op.ID, op.Permission)
		if op.Method != "GET" {
			require.NotRegexp(t, `:read$`, op.Permission, "%s changes something with a permission to read", op.ID)
		}
	}
}

func TestSpec_TheGuardsTableIsOfThisSpec(t *testing.T) {
	_, ops := readSpec(t)
	require.Len(t, httpapi.Operations, len(ops), "run go generate ./pkg/httpapi")
	for _, op := range ops {
		require.Equal(t, httpapi.Operation{Permission: op.Permission, IfMatch: op.IfMatch == "required", Idempotent: op.Idempotency == "required"},
			httpapi.Operations[op.ID], "run go generate ./pkg/httpapi: %s", op.ID)
	}
}

// lint walks schemas for what ogen cannot do and for what would surprise clients.
func lint(t *testing.T, at string, node any) {
	switch v := node.(type) {
	case map[string]any:
		require.NotContains(t, v, "exclusiveMinimum", "%s: ogen has no numeric exclusiveMinimum", at)
		require.NotContains(t, v, "nullable", "%s: absent, never null", at)
		if v["format"] == "date-time" {
			require.Contains(t, v, "x-ogen-time-format", "%s: without it fractions of seconds are lost", at)
		}
		if v["type"] == "object" && v["properties"] != nil {
			for name := range v["properties"].(map[string]any) {
				require.Regexp(t, `^[a-z][A-Za-z0-9]*$`, name, "%s: names are camelCase", at)
			}
		}
		for name, child := range v {
			lint(t, at+"/"+name, child)
		}
	case []any:
		for i, child := range v {
			lint(t, fmt.Sprintf("%s/%d", at, i), child)
		}
	}
}

func TestSpec_SchemasFollowTheRules(t *testing.T) {
	s, ops := readSpec(t)
	require.Greater(t, len(s.Components.Schemas), 100)
	for name, schema := range s.Components.Schemas {
		lint(t, name, map[string]any(schema))
	}
	for _, op := range ops {
		content, _ := op.RequestBody["content"].(map[string]any)
		body, ok := content["application/json"].(map[string]any)
		if !ok {
			continue
		}
		ref := strings.TrimPrefix(body["schema"].(map[string]any)["$ref"].(string), "#/components/schemas/")
		if ref != "Strategy" { // also an answer; answers may grow
			require.Equal(t, false, s.Components.Schemas[ref]["additionalProperties"], "%s: unknown fields must be refused", ref)
		}
	}
}
