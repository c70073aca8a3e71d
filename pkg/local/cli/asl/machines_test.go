package aslcli_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
	"github.com/perennial-llm/perennial/statemachines"
)

// raised are the error names that the platform's functions raise.
var raised = []errs.Code{
	errs.Invalid, errs.NotFound, errs.Conflict, errs.Precondition, errs.Unauthenticated, errs.Forbidden, errs.Held, errs.Exhausted,
	errs.Unavailable, errs.GateFailed, errs.Unhealthy, errs.Internal,
}

// knownError knows those and what the services raise under their own prefix.
func knownError(name string) bool {
	service, _, dotted := strings.Cut(name, ".")
	return slices.Contains(raised, errs.Code(name)) || dotted && slices.Contains([]string{"SageMaker", "StepFunctions", "Lambda"}, service)
}

// knownResource knows what both hosts perform: the local SageMaker, functions and nested executions.
func knownResource(name string) bool {
	performed := (&sagemaker.Service{}).Integrations()
	for _, r := range []string{"lambda:invoke", "states:startExecution", "states:startExecution.sync", "states:startExecution.sync:2"} {
		performed["arn:aws:states:::"+r] = nil
	}
	_, ok := performed.Lookup(name)
	return ok
}

// provided are the substitutions: one for each function and machine there is, and those of the stacks.
func provided(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{"BucketName": true, "TrainingRoleArn": true, "ServingRoleArn": true, "TrainingImageUri": true, "ServingImageUri": true,
		"TrainingInstanceType": true, "ServingInstanceType": true}
	mains, err := filepath.Glob("../../../../functions/*/main.go")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(mains), 20, "the glob sees the functions")
	for _, path := range mains {
		out[pascal(filepath.Base(filepath.Dir(path)))+"FunctionArn"] = true
	}
	for name := range statemachines.All() {
		out[pascal(name)+"StateMachineArn"] = true
	}
	return out
}

func pascal(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func TestMachines_HaveNoFindings(t *testing.T) {
	o := asl.LintOptions{KnownError: knownError, KnownResource: knownResource, Substitutions: provided(t)}
	all := statemachines.All()
	require.GreaterOrEqual(t, len(all), 5)
	for name, definition := range all {
		require.Empty(t, asl.Lint(definition, o), name)
	}
	for _, plant := range []struct{ machine, sound, spoilt, code string }{
		{"train-model", `"Unavailable"`, `"Unavailabel"`, asl.CodeErrorName},
		{"train-model", `${TrainingPlanFunctionArn}`, `${TrainingPlnFunctionArn}`, asl.CodeSubstitution},
		{"train-model", `sagemaker:createTrainingJob.sync`, `sagemaker:createTransformJob.sync`, asl.CodeResourceKnown},
		{"train-model", `sagemaker:createTrainingJob.sync`, `sagemaker:createTraningJob.sync`, asl.CodeSchema},
		{"train-model", `"TimeoutSeconds": 60,`, ``, asl.CodeTimeout},
		{"train-model", `"Output"`, `"OutputPath"`, asl.CodeSchema},
	} {
		sound := string(all[plant.machine])
		require.Contains(t, sound, plant.sound)
		var codes []string
		for _, d := range asl.Lint([]byte(strings.Replace(sound, plant.sound, plant.spoilt, 1)), o) {
			codes = append(codes, d.Code)
		}
		require.Contains(t, codes, plant.code, plant.spoilt)
	}
}
