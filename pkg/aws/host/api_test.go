package host_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/host"
	"github.com/perennial-llm/perennial/pkg/aws/states"
	"github.com/perennial-llm/perennial/pkg/httpapi"
)

// PRODUCT.md, T5: the live table of steps.
func TestSteps_SayWhyOneFailed(t *testing.T) {
	shown := host.Said([]states.Step{
		{Name: "PlanTraining", Status: "Succeeded"},
		{Name: "TrainModel", Status: "Failed", Error: "States.TaskFailed", Cause: `{"TrainingJobName":"j","FailureReason":"AlgorithmError: 9\n[perennial] step=5\nKilled, exit code: 137"}`},
		{Name: "EvaluateModel", Status: "Failed", Error: "Invalid", Cause: `{"errorMessage":"no items","errorType":"Invalid"}`},
	})
	require.Equal(t, []httpapi.Step{
		{Name: "PlanTraining", Status: "Succeeded"},
		{Name: "TrainModel", Status: "Failed", Error: "AlgorithmError: Killed, exit code: 137"},
		{Name: "EvaluateModel", Status: "Failed", Error: "Invalid: no items"},
	}, shown)
}
