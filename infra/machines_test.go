package main_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/tasks"
	"github.com/perennial-llm/perennial/statemachines"
)

var placeholders = regexp.MustCompile(`\$\{(\w+)\}`)

// functions gives the logical id of every function of ours by folder name.
func functions(t *testing.T) map[string]string {
	out := map[string]string{}
	for id, f := range of("AWS::Lambda::Function") {
		what, _ := f.Properties["Description"].(string)
		if name, ours := strings.CutPrefix(what, "functions/"); ours {
			require.NotContains(t, out, name)
			out[name] = id[strings.Index(id, "/")+1:]
		}
	}
	return out
}

// handlers are the tasks that the one-machine host serves, and the API.
func handlers() []string {
	all := map[string]lambda.Handler{"api": nil}
	maps.Copy(all, tasks.Dataset{}.Handlers())
	maps.Copy(all, tasks.Training{}.Handlers())
	maps.Copy(all, tasks.Rollout{}.Handlers())
	return slices.Sorted(maps.Keys(all))
}

func TestFunctions_AreTheSameEverywhere(t *testing.T) {
	require.Equal(t, handlers(), slices.Sorted(maps.Keys(functions(t))), "every handler is deployed, and nothing else")
	require.Equal(t, handlers(), folders(), "every deployed function has a folder, and the other way round")
}

func TestMachines_AreTheFiles(t *testing.T) {
	found := map[string]bool{}
	for id, m := range of("AWS::StepFunctions::StateMachine") {
		name := strings.TrimPrefix(m.Properties["StateMachineName"].(string), "perennial-")
		found[name] = true
		t.Run(name, func(t *testing.T) {
			definition, ok := m.Properties["DefinitionString"].(string)
			require.True(t, ok, "%s is inline, so that linters see it", id)
			require.JSONEq(t, string(statemachines.All()[name]), definition)
			require.Equal(t, map[string]any{"Enabled": true}, m.Properties["TracingConfiguration"])
			require.Equal(t, "ALL", m.Properties["LoggingConfiguration"].(map[string]any)["Level"])
		})
	}
	require.Equal(t, slices.Sorted(maps.Keys(statemachines.All())), slices.Sorted(maps.Keys(found)))
}

func TestMachines_EverySubstitutionNamesAResource(t *testing.T) {
	byName := functions(t)
	seen := 0
	for id, m := range of("AWS::StepFunctions::StateMachine") {
		values, _ := m.Properties["DefinitionSubstitutions"].(map[string]any)
		names := map[string]bool{}
		for _, match := range placeholders.FindAllStringSubmatch(m.Properties["DefinitionString"].(string), -1) {
			names[match[1]] = true
		}
		require.Equal(t, slices.Sorted(maps.Keys(names)), slices.Sorted(maps.Keys(values)), id)
		for name, value := range values {
			seen++
			if function, ok := strings.CutSuffix(name, "FunctionArn"); ok {
				require.Equal(t, map[string]any{"Fn::GetAtt": []any{byName[kebab(function)], "Arn"}}, value, name)
			}
			if machine, ok := strings.CutSuffix(name, "StateMachineArn"); ok {
				require.Contains(t, text(t, value), ":stateMachine:perennial-"+kebab(machine))
			}
		}
	}
	require.Greater(t, seen, 20)
}

// call is the permission that a service integration needs first.
var call = regexp.MustCompile(`^arn:aws:states:::(?:aws-sdk:)?(\w+):(\w)(\w+)`)

// Every service that a machine names is one that its role may call, beside what waiting for it needs.
func TestMachines_MayCallWhatTheyName(t *testing.T) {
	allowed := map[string]map[string]bool{} // by logical id of the role
	for _, s := range statements(t) {
		role := regexp.MustCompile(`DefaultPolicy[0-9A-F]+$`).ReplaceAllString(s.where, "")
		if allowed[role] == nil {
			allowed[role] = map[string]bool{}
		}
		for _, action := range s.actions {
			allowed[role][action] = true
		}
	}
	seen := map[string]bool{}
	for id, m := range of("AWS::StepFunctions::StateMachine") {
		role := regexp.MustCompile(`(\w+Role)[0-9A-F]{8}"`).FindStringSubmatch(text(t, m.Properties["RoleArn"]))[1]
		for _, r := range regexp.MustCompile(`"Resource":"([^"]+)"`).FindAllStringSubmatch(m.Properties["DefinitionString"].(string), -1) {
			part := call.FindStringSubmatch(r[1])
			require.NotNil(t, part, "%s: %s", id, r[1])
			action := part[1] + ":" + strings.ToUpper(part[2]) + part[3]
			if action == "lambda:Invoke" {
				action = "lambda:InvokeFunction"
			}
			seen[action] = true
			require.True(t, allowed["perennial-pipeline/"+role][action], "%s may not %s", role, action)
		}
	}
	require.Equal(t, []string{"lambda:InvokeFunction", "sagemaker:CreateEndpoint", "sagemaker:CreateEndpointConfig", "sagemaker:CreateModel",
		"sagemaker:CreateTrainingJob", "sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint", "states:StartExecution"}, slices.Sorted(maps.Keys(seen)))
}

// kebab turns "TrainingPlan" into "training-plan".
func kebab(s string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(s, "$1-$2"))
}

// text gives a value as JSON.
func text(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
