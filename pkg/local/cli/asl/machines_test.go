package aslcli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/errs"
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

func TestMachines_HaveNoFindings(t *testing.T) {
	all := statemachines.All()
	require.GreaterOrEqual(t, len(all), 5)
	for name, definition := range all {
		require.Empty(t, asl.Lint(definition, asl.LintOptions{KnownError: knownError}), name)
	}
	planted := strings.Replace(string(all["train-model"]), `"Unavailable"`, `"Unavailabel"`, 1)
	findings := asl.Lint([]byte(planted), asl.LintOptions{KnownError: knownError})
	require.Len(t, findings, 1)
	require.Equal(t, asl.CodeErrorName, findings[0].Code)
}
