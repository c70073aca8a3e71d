package dataset

import (
	"context"
	"regexp"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/table"
)

// Overlaps tells whether a text holds a benchmark item, and names it. *benchmark.Index is one.
type Overlaps interface {
	Overlaps(text string) (item string, found bool)
}

// Workflow runs state machines and answers their waiting tasks. Start is idempotent by name; answering
// a token that is no longer waited for is errs.NotFound.
type Workflow interface {
	Start(ctx context.Context, machine, name string, input any) (execution string, err error)
	Answer(ctx context.Context, token string, output any) error
}

// Machine is the state machine that takes an ingestion from arrival to version.
const Machine = "ingest-data"

// Policy says when people are asked and how data is cut.
type Policy struct {
	MaxRejected float64 // share of rejected rows above which a person decides; 0 = 0.5
	ShardRows   int     // 0 = 200,000
	ShardBytes  int     // before compression; 0 = 64 MiB
	MaxRows     int     // rows of one file; 0 = 20 million
	Limits      rows.Limits
}

func (p Policy) withDefaults() Policy {
	d := func(v *int, n int) {
		if *v == 0 {
			*v = n
		}
	}
	d(&p.ShardRows, 200_000)
	d(&p.ShardBytes, 64<<20)
	d(&p.MaxRows, 20_000_000)
	if p.MaxRejected == 0 {
		p.MaxRejected = 0.5
	}
	if p.Limits == (rows.Limits{}) {
		p.Limits = rows.DefaultLimits()
	}
	return p
}

// Deps is what a Service needs.
type Deps struct {
	Table    table.Table
	Log      audit.Committer
	Objects  object.Store
	Clock    ids.Clock
	IDs      ids.Source
	Workflow Workflow // nil: whoever arrives data drives Check and Publish
	// Overlaps gives the benchmark items that a dataset must not hold; nil, or a nil result, = none.
	Overlaps func(ctx context.Context, d Dataset) (Overlaps, error)
	Policy   Policy
}

// Service keeps datasets, admits arrivals and publishes versions.
type Service struct {
	Deps
	bases bases
}

// New returns a service.
func New(d Deps) *Service {
	d.Policy = d.Policy.withDefaults()
	return &Service{Deps: d}
}

var slug = regexp.MustCompile(`^[a-z][a-z0-9-]{1,38}[a-z0-9]$`)

func checkSlug(what, id string) error {
	if slug.MatchString(id) {
		return nil
	}
	return errs.New(errs.Invalid, "%s id %q is not a slug", what, id).At("/id").
		Mend("use 3 to 40 lower-case letters, digits and dashes, beginning with a letter")
}

// CreateDataset adds a dataset under its chosen id.
func (s *Service) CreateDataset(ctx context.Context, by audit.Actor, d Dataset) (Dataset, error) {
	if err := checkSlug("dataset", d.ID); err != nil {
		return d, err
	}
	d.Owner, d.Created, d.Latest, d.Rows, d.Numbers, d.Rev = by, s.Clock(), 0, 0, 0, 1
	if d.Name == "" {
		d.Name = d.ID
	}
	_, err := s.Log.Commit(ctx, audit.Change{
		Actor: by, Type: "DatasetCreated", Subject: audit.Subject{Type: "dataset", ID: d.ID}, Data: d,
		After: audit.JSON(d), Ops: []table.Op{saveDataset(d, 0)},
	})
	if errs.Is(err, errs.Conflict) {
		return d, errs.New(errs.Conflict, "dataset %s exists already", d.ID).At("/id").Mend("choose another id")
	}
	return d, err
}

// Datasets gives all datasets by id.
func (s *Service) Datasets(ctx context.Context) ([]Dataset, error) {
	return table.All[Dataset](ctx, s.Table, table.Query{Index: table.GSI1, PK: "DATASETS"})
}

// Dataset gives one dataset.
func (s *Service) Dataset(ctx context.Context, id string) (Dataset, error) {
	d, err := table.Load[Dataset](ctx, s.Table, datasetKey(id))
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no dataset %q", id)
	}
	return d, err
}
