package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/table"
)

var ana = audit.Actor{ID: "usr_ana", Name: "ana"}

func newService(t *testing.T) (*registry.Service, table.Table) {
	clock := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
	tab := porttest.NewMemory(clock)
	s := registry.New(registry.Deps{Table: tab, Log: audit.NewLog(tab, clock, ids.Sequence()), Clock: clock})
	_, err := s.CreateModel(t.Context(), ana, registry.Model{ID: "support", Dataset: "tickets"})
	require.NoError(t, err)
	return s, tab
}

func TestService_TrainingThatTheContainerWouldRefuseIsRefusedWhenTheModelIsSaved(t *testing.T) {
	s, _ := newService(t)
	s.CheckTrain = func(sections []byte) error {
		if strings.Contains(string(sections), "speed") {
			return errors.New("train.speed: unknown key")
		}
		return nil
	}
	bad := registry.Model{ID: "other", Train: []byte(`{"train":{"speed":1}}`)}
	_, err := s.CreateModel(t.Context(), ana, bad)
	require.ErrorContains(t, err, "train.speed: unknown key")
	require.Equal(t, errs.Invalid, errs.CodeOf(err))
	bad.ID, bad.Rev = "support", 1
	_, err = s.UpdateModel(t.Context(), ana, bad)
	require.ErrorContains(t, err, "train.speed: unknown key")
	_, err = s.UpdateModel(t.Context(), ana, registry.Model{ID: "support", Train: []byte(`{"train":{"epochs":3}}`), Rev: 1})
	require.NoError(t, err)
}

func TestService_VersionsAreNumberedAndKeepTheirParents(t *testing.T) {
	s, tab := newService(t)
	base, err := s.Register(t.Context(), ana, "k1", registry.Version{Model: "support", Digest: "sha256:1", Origin: registry.Imported,
		Datasets: []registry.DatasetRef{{Dataset: "tickets", Number: 1}}})
	require.NoError(t, err)
	next, err := s.Register(t.Context(), ana, "k2", registry.Version{Model: "support", Digest: "sha256:2", Parent: base.Number, Run: "run_1"})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, []int{base.Number, next.Number})
	again, err := s.Register(t.Context(), ana, "k2", registry.Version{Model: "support", Digest: "sha256:2", Parent: base.Number, Run: "run_1"})
	require.NoError(t, err)
	require.Equal(t, 2, again.Number, "a run makes one version")

	g, err := lineage.Graph{Table: tab}.Walk(t.Context(), registry.VersionNode("support", 2), lineage.Backward, 5)
	require.NoError(t, err)
	require.Len(t, g.Edges, 3, "version 2 leads back to its run, its parent and the parent's data")
}

func TestService_AliasesFollowTheirMoves(t *testing.T) {
	s, _ := newService(t)
	_, err := s.Aliased(t.Context(), "support", registry.Champion)
	require.True(t, errs.Is(err, errs.NotFound), err)
	for _, run := range []string{"run_1", "run_2"} {
		_, err := s.Register(t.Context(), ana, run, registry.Version{Model: "support", Digest: "sha256:" + run, Run: run})
		require.NoError(t, err)
	}
	for _, n := range []int{1, 2, 2} {
		require.NoError(t, s.SetAlias(t.Context(), ana, "support", registry.Champion, n, "released"))
	}
	v, err := s.Version(t.Context(), "support", 0)
	require.NoError(t, err)
	require.Equal(t, 2, v.Number)
	require.Equal(t, []string{registry.Champion}, v.Aliases)
	require.True(t, errs.Is(s.SetAlias(t.Context(), ana, "support", "best", 1, ""), errs.Invalid))
	require.True(t, errs.Is(s.SetAlias(t.Context(), ana, "support", registry.Champion, 9, ""), errs.NotFound))
}

func TestService_BadModels(t *testing.T) {
	s, _ := newService(t)
	for _, id := range []string{"", "A", "x", "has space", "-dash"} {
		_, err := s.CreateModel(t.Context(), ana, registry.Model{ID: id})
		require.True(t, errs.Is(err, errs.Invalid), id)
	}
	_, err := s.CreateModel(t.Context(), ana, registry.Model{ID: "support"})
	require.True(t, errs.Is(err, errs.Conflict), err)
	_, err = s.UpdateModel(t.Context(), ana, registry.Model{ID: "support", Rev: 7})
	require.True(t, errs.Is(err, errs.Precondition), "an old revision is refused")
	_, err = s.Model(t.Context(), "other")
	require.True(t, errs.Is(err, errs.NotFound), err)
}
