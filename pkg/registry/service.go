package registry

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Deps is what a Service needs.
type Deps struct {
	Table table.Table
	Log   audit.Committer
	Clock ids.Clock
	// CheckTrain refuses sections of run.json that the training container would refuse, "field.path: what is wrong".
	CheckTrain func(sections []byte) error
}

// Service keeps models, versions and aliases.
type Service struct{ Deps }

// New returns a service.
func New(d Deps) *Service { return &Service{d} }

var slug = regexp.MustCompile(`^[a-z][a-z0-9-]{1,38}[a-z0-9]$`)

func modelKey(id string) table.Key { return table.Key{PK: "MODEL#" + id, SK: "META"} }

func versionKey(model string, n int) table.Key {
	return table.Key{PK: "MODEL#" + model, SK: fmt.Sprintf("VERSION#%06d", n)}
}

func aliasKey(model, alias string) table.Key {
	return table.Key{PK: "MODEL#" + model, SK: "ALIAS#" + alias}
}

// VersionNode is a version's node in the lineage graph.
func VersionNode(model string, n int) lineage.Node {
	return lineage.Node{Type: "modelVersion", ID: fmt.Sprintf("%s@%d", model, n)}
}

// CreateModel adds a model under its chosen id.
func (s *Service) CreateModel(ctx context.Context, by audit.Actor, m Model) (Model, error) {
	if !slug.MatchString(m.ID) {
		return m, errs.New(errs.Invalid, "model id %q is not a slug", m.ID).At("/id").
			Mend("use 3 to 40 lower-case letters, digits and dashes, beginning with a letter")
	}
	if err := s.checkTraining(m); err != nil {
		return m, err
	}
	m.Created, m.Rev = s.Clock(), 1
	if m.Name == "" {
		m.Name = m.ID
	}
	_, err := s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "ModelCreated", Subject: audit.Subject{Type: "model", ID: m.ID}, Data: m,
		Ops: []table.Op{saveModel(m, 0)},
	})
	if errs.Is(err, errs.Conflict) {
		return m, errs.New(errs.Conflict, "model %s exists already", m.ID).At("/id").Mend("choose another id")
	}
	return m, err
}

// checkTraining refuses a preset or a training section that the container would refuse hours later.
func (s *Service) checkTraining(m Model) error {
	if err := CheckPreset(m.Preset); err != nil || len(m.Train) == 0 || s.CheckTrain == nil {
		return err
	}
	if err := s.CheckTrain(m.Train); err != nil {
		return errs.New(errs.Invalid, "%w", err).At("/train").Mend("training/contract/run.schema.json describes each field")
	}
	return nil
}

func saveModel(m Model, rev int64) table.Op {
	return table.Save(modelKey(m.ID), m, rev, map[table.Index]table.Key{table.GSI1: {PK: "MODELS", SK: m.ID}})
}

// UpdateModel changes name, dataset, benchmarks, preset and canned prompts of revision m.Rev.
func (s *Service) UpdateModel(ctx context.Context, by audit.Actor, m Model) (Model, error) {
	if err := s.checkTraining(m); err != nil {
		return m, err
	}
	old, err := s.Model(ctx, m.ID)
	if err != nil {
		return m, err
	}
	m.Created = old.Created
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "ModelUpdated", Subject: audit.Subject{Type: "model", ID: m.ID}, Data: m,
		Before: audit.JSON(old), After: audit.JSON(m), Ops: []table.Op{saveModel(m, m.Rev)},
	})
	if errs.Is(err, errs.Conflict) {
		return m, errs.New(errs.Precondition, "model %s changed meanwhile", m.ID).Mend("load it again and repeat the change")
	}
	m.Rev++
	return m, err
}

// SetAnchor pins the version that every candidate of the model is compared with besides the champion; 0 leaves
// it to each candidate's first ancestor. rev is the model's revision.
func (s *Service) SetAnchor(ctx context.Context, by audit.Actor, model string, rev int64, n int, reason string) (Model, error) {
	old, err := s.Model(ctx, model)
	if err != nil {
		return old, err
	}
	if n > 0 {
		if _, err := s.Version(ctx, model, n); errs.Is(err, errs.NotFound) {
			return old, errs.New(errs.Invalid, "model %s has no version %d", model, n).At("/version").Mend("choose one that it has")
		} else if err != nil {
			return old, err
		}
	}
	m := old
	m.Anchor, m.Rev = n, rev
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "AnchorSet", Subject: audit.Subject{Type: "model", ID: model}, Reason: reason,
		Data: map[string]any{"from": old.Anchor, "to": n}, Before: audit.JSON(old), After: audit.JSON(m), Ops: []table.Op{saveModel(m, rev)},
	})
	if errs.Is(err, errs.Conflict) {
		return m, errs.New(errs.Precondition, "model %s changed meanwhile", model).Mend("load it again and repeat the change")
	}
	m.Rev++
	return m, err
}

// Models gives all models by id.
func (s *Service) Models(ctx context.Context) ([]Model, error) {
	return table.All[Model](ctx, s.Table, table.Query{Index: table.GSI1, PK: "MODELS"})
}

// Model gives one model.
func (s *Service) Model(ctx context.Context, id string) (Model, error) {
	m, err := table.Load[Model](ctx, s.Table, modelKey(id))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no model %q", id)
	}
	return m, err
}

// Versions gives all versions of a model, newest first, with their aliases.
func (s *Service) Versions(ctx context.Context, model string) ([]Version, error) {
	vs, err := table.All[Version](ctx, s.Table, table.Query{
		PK: "MODEL#" + model, Prefix: "VERSION#", Descending: true, Consistency: table.Consistent})
	if err != nil {
		return nil, err
	}
	names, err := s.aliases(ctx, model)
	for i := range vs {
		vs[i].Aliases = names[vs[i].Number]
	}
	return vs, err
}

// Version gives one version; number 0 means the champion.
func (s *Service) Version(ctx context.Context, model string, n int) (Version, error) {
	if n == 0 {
		return s.Aliased(ctx, model, Champion)
	}
	v, err := table.Load[Version](ctx, s.Table, versionKey(model, n))
	if errs.Is(err, errs.NotFound) {
		return v, errs.New(errs.NotFound, "model %s has no version %d", model, n)
	}
	if err != nil {
		return v, err
	}
	names, err := s.aliases(ctx, model)
	v.Aliases = names[n]
	return v, err
}

// Aliased gives the version that an alias points to.
func (s *Service) Aliased(ctx context.Context, model, alias string) (Version, error) {
	a, err := table.Load[aliasRecord](ctx, s.Table, aliasKey(model, alias))
	if errs.Is(err, errs.NotFound) {
		return Version{}, errs.New(errs.NotFound, "model %s has no %s", model, alias).
			Mend("register a base version first")
	}
	if err != nil {
		return Version{}, err
	}
	return s.Version(ctx, model, a.Version)
}

type aliasRecord struct {
	Alias   string `json:"alias"`
	Version int    `json:"version"`
	Rev     int64  `json:"rev"`
}

func (s *Service) aliases(ctx context.Context, model string) (map[int][]string, error) {
	as, err := table.All[aliasRecord](ctx, s.Table, table.Query{
		PK: "MODEL#" + model, Prefix: "ALIAS#", Consistency: table.Consistent})
	out := map[int][]string{}
	for _, a := range as {
		out[a.Version] = append(out[a.Version], a.Alias)
	}
	return out, err
}

// Register adds the next version of a model. The key makes it idempotent: a second call with the
// same key returns the version of the first.
func (s *Service) Register(ctx context.Context, by audit.Actor, key string, v Version, extra ...table.Op) (Version, error) {
	vs, err := s.Versions(ctx, v.Model)
	if err != nil {
		return v, err
	}
	if i := slices.IndexFunc(vs, func(o Version) bool { return o.Run != "" && o.Run == v.Run }); i >= 0 {
		return vs[i], nil
	}
	v.Number, v.Created, v.Status, v.Rev, v.Aliases = 1, s.Clock(), Candidate, 1, []string{}
	if len(vs) > 0 {
		v.Number = vs[0].Number + 1
	}
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "ModelVersionRegistered", Key: key, Data: v,
		Subject: audit.Subject{Type: "modelVersion", ID: VersionNode(v.Model, v.Number).ID},
		Ops:     append(s.registerOps(v), extra...),
	})
	return v, err
}

func (s *Service) registerOps(v Version) []table.Op {
	ops := []table.Op{saveVersion(v, 0)}
	to := VersionNode(v.Model, v.Number)
	if v.Parent > 0 {
		ops = append(ops, lineage.Edge(VersionNode(v.Model, v.Parent), to))
	}
	if v.Run != "" {
		return append(ops, lineage.Edge(lineage.Node{Type: "run", ID: v.Run}, to))
	}
	for _, d := range v.Datasets {
		ops = append(ops, lineage.Edge(lineage.Node{Type: "datasetVersion", ID: fmt.Sprintf("%s@%d", d.Dataset, d.Number)}, to))
	}
	return ops
}

func saveVersion(v Version, rev int64) table.Op {
	return table.Save(versionKey(v.Model, v.Number), v, rev, map[table.Index]table.Key{
		table.GSI1: {PK: "DIGEST#" + v.Digest, SK: fmt.Sprintf("%s@%06d", v.Model, v.Number)}})
}

// Judge records what the gate said of a version, or what a person decided.
func (s *Service) Judge(ctx context.Context, by audit.Actor, model string, n int, change func(*Version)) error {
	v, err := s.Version(ctx, model, n)
	if err != nil {
		return err
	}
	before := audit.JSON(v)
	change(&v)
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "ModelVersionJudged", Subject: audit.Subject{Type: "modelVersion", ID: VersionNode(model, n).ID},
		Data: v, Before: before, After: audit.JSON(v), Ops: []table.Op{saveVersion(v, v.Rev)},
	})
	return err
}

// SetAlias points an alias at a version.
func (s *Service) SetAlias(ctx context.Context, by audit.Actor, model, alias string, n int, reason string) error {
	if alias != Champion && alias != Challenger {
		return errs.New(errs.Invalid, "no alias %q", alias).Mend("use %s or %s", Champion, Challenger)
	}
	if _, err := s.Version(ctx, model, n); err != nil {
		return err
	}
	key := aliasKey(model, alias)
	old, err := table.Load[aliasRecord](ctx, s.Table, key)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	if old.Version == n {
		return nil
	}
	_, err = s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "AliasMoved", Subject: audit.Subject{Type: "model", ID: model}, Reason: reason,
		Data: map[string]any{"alias": alias, "from": old.Version, "to": n},
		Ops:  []table.Op{table.Save(key, aliasRecord{Alias: alias, Version: n}, old.Rev, nil)},
	})
	return err
}
