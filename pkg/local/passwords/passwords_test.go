package passwords_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/passwords"
)

func TestArgon2id_KnowsThePassword(t *testing.T) {
	a := passwords.New()
	one, err := a.Hash("correct horse")
	require.NoError(t, err)
	two, err := a.Hash("correct horse")
	require.NoError(t, err)
	require.NotEqual(t, one, two, "each has its own salt")
	require.True(t, a.Verify(one, "correct horse"))
	require.False(t, a.Verify(one, "correct horsf"))
	require.True(t, passwords.Argon2id{}.Verify(one, "correct horse"), "the hash carries its parameters")
}

func TestArgon2id_RefusesDamagedHashes(t *testing.T) {
	a := passwords.New()
	good, err := a.Hash("x")
	require.NoError(t, err)
	for _, bad := range []string{
		"", "x", "$$$$$", strings.Replace(good, "m=19456", "m=4294967295", 1), strings.Replace(good, "v=19", "v=18", 1),
		strings.Replace(good, "t=2", "t=0", 1), strings.Replace(good, "argon2id", "argon2i", 1), good[:len(good)-4], good + "$",
	} {
		require.False(t, a.Verify(bad, "x"), bad)
	}
}
