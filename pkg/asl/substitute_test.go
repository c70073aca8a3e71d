package asl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
)

func TestSubstitute_ReplacesAllOrFails(t *testing.T) {
	def := []byte(`{"a":"${XFunctionArn}","b":"${Y}/${XFunctionArn}"}`)
	out, err := asl.Substitute(def, map[string]string{"XFunctionArn": "arn", "Y": `q"`})
	require.NoError(t, err)
	require.JSONEq(t, `{"a":"arn","b":"q\"/arn"}`, string(out))
	_, err = asl.Substitute(def, map[string]string{"Y": "1"})
	require.ErrorContains(t, err, "XFunctionArn")
	require.Equal(t, []string{"XFunctionArn", "Y"}, asl.Substitutions(def))
}
