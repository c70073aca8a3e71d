package audit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

func TestCanonical_IsOneForm(t *testing.T) {
	for in, want := range map[string]string{
		`{ "b" : 1.50, "a" : [ true, null ] }`: `{"a":[true,null],"b":1.50}`,
		`"<é\u0026>"`:                          `"<é&>"`,
		`{"z":{"y":1e3,"x":-0}}`:               `{"z":{"x":-0,"y":1e3}}`,
		`12345678901234567890`:                 `12345678901234567890`,
	} {
		got, err := audit.Canonical(json.RawMessage(in))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	_, err := audit.Canonical(json.RawMessage(`{`))
	require.Error(t, err)
}

func TestCanonical_OfItselfIsTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		doc := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.String())).Draw(r, "document")
		once, err := audit.Canonical(doc)
		require.NoError(r, err)
		twice, err := audit.Canonical(json.RawMessage(once))
		require.NoError(r, err)
		require.Equal(r, string(once), string(twice))
	})
}

func trail(t *testing.T, n int) (*audit.Log, []audit.Entry) {
	clock := porttest.NewClock()
	log := audit.NewLog(porttest.NewMemory(clock.Now), clock.Now, ids.Sequence())
	for range n {
		_, err := log.Commit(t.Context(), audit.Change{
			Actor: audit.System("trigger"), Type: "RunStarted", Subject: audit.Subject{Type: "run", ID: "run_1"}, After: json.RawMessage(`{"a":1}`),
		})
		require.NoError(t, err)
	}
	entries, err := log.Entries(t.Context(), 0, n)
	require.NoError(t, err)
	return log, entries
}

// TestChain_StaysAsItIs pins the form of entries and hashes: a change of it would void all evidence
// given out before. The values were computed by another program from the stated formula.
func TestChain_StaysAsItIs(t *testing.T) {
	_, entries := trail(t, 2)
	require.Equal(t, "1c34969554f5f6937ab21de18472ff6d16c1c80ee16c431e011190325f4775aa", entries[0].Event)
	require.Equal(t, "9df3f19c8895e9ed17e7d29f9fc53b2c2cbb5ec55edd3dedc6b18e57cc1e935a", entries[1].Hash)
}

func TestVerifier_ChecksEvidenceOffline(t *testing.T) {
	log, entries := trail(t, 5)
	head, err := log.Head(t.Context())
	require.NoError(t, err)
	v := audit.NewVerifier(&head)
	for _, e := range entries {
		v.Entry(e.Seq, e)
	}
	require.True(t, v.Finish(head).OK)

	v = audit.NewVerifier(nil)
	for _, e := range entries {
		e.Actor.Name = strings.ToUpper(e.Actor.Name)
		v.Entry(e.Seq, e)
	}
	report := v.Finish(head)
	require.Len(t, report.Problems, 5)
	require.Equal(t, errs.Unhealthy, errs.CodeOf(report.Err()))
	require.EqualError(t, audit.Report{}.Err(), "audit trail was not verified")
}
