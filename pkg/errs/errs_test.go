package errs_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
)

func TestError_SaysPlaceProblemAndMend(t *testing.T) {
	err := errs.New(errs.Invalid, "no completion").At("rows.jsonl:7").Mend("add a completion")
	require.EqualError(t, err, "rows.jsonl:7: no completion (add a completion)")
}

func TestCodeOf(t *testing.T) {
	cause := errors.New("disk")
	err := fmt.Errorf("save: %w", errs.New(errs.Conflict, "write: %w", cause))
	require.Equal(t, errs.Conflict, errs.CodeOf(err))
	require.ErrorIs(t, err, cause)
	require.Equal(t, errs.Internal, errs.CodeOf(cause))
	require.Empty(t, errs.CodeOf(nil))
	require.True(t, errs.Is(err, errs.Conflict))
	require.False(t, errs.Is(nil, errs.Internal))
}
