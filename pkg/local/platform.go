// Package local wires the platform for one machine: SQLite, files and subprocesses behind the same
// ports, handlers, machines and API as on AWS, in one process, on one port, over one data folder.
package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/local/states"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/table"
	"github.com/perennial-llm/perennial/pkg/training"
	"github.com/perennial-llm/perennial/training/contract"
)

// Options are what a host chooses.
type Options struct {
	Data    string // folder for everything that is kept
	Code    string // folder with train.py, evaluate.py and serve.py
	Python  string // interpreter with the packages they need
	Web     fs.FS  // built web app; nil = none
	Version string
	Logger  *slog.Logger // nil = discard
}

// Platform is everything, wired.
type Platform struct {
	Options
	Identity *identity.Service
	Log      *audit.Log
	Dataset  *dataset.Service
	Catalog  *benchmark.Catalog
	Registry *registry.Service
	Training *training.Service
	Rollout  *rollout.Service
	Monitor  *monitor.Service
	Objects  *files.Store
	// Password is the admin's one-time password when this start made the account, else empty.
	Password string

	table     table.Table
	db        *sqlite.DB
	lock      *os.File
	sagemaker *sagemaker.Service
	states    *states.Service
	triggers  *audit.Consumer
	stopping  chan struct{}
	handler   http.Handler
}

// bucket is the name that stands for the object store in S3 addresses.
const bucket = "perennial"

// codeKey is the object prefix that stands for the folder with the training code.
const codeKey = "code/local/"

// Open wires a platform over a data folder, making it on the first start. Close it afterwards.
func Open(ctx context.Context, o Options) (p *Platform, err error) {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	p = &Platform{Options: o, stopping: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close(ctx))
			p = nil
		}
	}()
	if err = p.openStores(ctx); err != nil {
		return p, err
	}
	flow := &workflow{}
	p.wireCore(flow)
	if err = p.wireEngines(flow); err != nil {
		return p, err
	}
	if p.Password, err = p.Identity.FirstAdmin(ctx); err != nil {
		return p, fmt.Errorf("first admin: %w", err)
	}
	if err = markKept(p.lock); err != nil {
		return p, err
	}
	p.triggers = p.wakeOnData()
	p.handler, err = p.wireAPI()
	return p, err
}

func (p *Platform) openStores(ctx context.Context) (err error) {
	if p.lock, err = openFolder(p.Data); err != nil {
		return err
	}
	if p.db, err = sqlite.Open(filepath.Join(p.Data, "perennial.db")); err != nil {
		return err
	}
	if err = recordsAreThere(ctx, p.lock, p.db); err != nil {
		return err
	}
	p.Objects, err = files.Open(filepath.Join(p.Data, "objects"))
	p.table = table.Limit(p.db.Table(ids.WallClock))
	return err
}

func mask(text string) string {
	masked, _ := rows.MaskText(text)
	return masked
}

// wireCore makes the core over the stores.
func (p *Platform) wireCore(flow *workflow) {
	clock, newID := ids.Clock(ids.WallClock), ids.ULIDs(ids.WallClock)
	p.Log = audit.NewLog(p.table, clock, newID)
	p.Identity = identity.NewService(identity.Options{Table: p.table, Log: p.Log, Clock: clock, NewID: newID, Hasher: hasher()})
	p.Catalog = &benchmark.Catalog{Table: p.table, Log: p.Log, Objects: p.Objects, Clock: clock}
	p.Dataset = dataset.New(dataset.Deps{Table: p.table, Log: p.Log, Objects: p.Objects, Clock: clock, IDs: newID, Workflow: flow,
		Overlaps: (&indexes{catalog: p.Catalog}).of})
	p.Registry = registry.New(registry.Deps{Table: p.table, Log: p.Log, Clock: clock, CheckTrain: contract.CheckSections})
	p.Monitor = monitor.New(monitor.Deps{Table: p.table, Clock: clock, Mask: mask})
	p.Training = training.New(training.Deps{Table: p.table, Log: p.Log, Objects: p.Objects, Registry: p.Registry, Datasets: p.Dataset,
		Catalog: p.Catalog, Policy: gate.OneMachinePolicy(), Workflow: flow, Clock: clock, IDs: newID, Logger: p.Logger,
		Places: training.Places{Bucket: bucket, Code: "s3://" + bucket + "/" + codeKey}})
	p.Rollout = rollout.New(rollout.Deps{Table: p.table, Log: p.Log, Registry: p.Registry, Monitor: p.Monitor, Workflow: flow,
		Asker: rollout.Invoke(p.invokeWhole), Clock: clock, IDs: newID, Logger: p.Logger})
}

// wireEngines makes the local SageMaker and the local Step Functions, which call the core's handlers.
func (p *Platform) wireEngines(flow *workflow) (err error) {
	p.sagemaker, err = sagemaker.New(sagemaker.Config{Root: filepath.Join(p.Data, "sagemaker"), Objects: linkable{p.Objects}, Bucket: bucket,
		Code: p.Code, CodeKey: codeKey, Python: p.Python, Logger: p.Logger, Env: jobEnv()})
	if err != nil {
		return err
	}
	f := &functions{handlers: p.handlers()}
	machines, err := f.machines(bucket)
	if err != nil {
		return err
	}
	integrations := p.sagemaker.Integrations()
	integrations["arn:aws:states:::lambda:invoke"] = f.invoke
	p.states, err = states.New(states.Config{DB: p.db.SQL(), Machines: machines, Integrations: asl.Integrations(integrations), Logger: p.Logger})
	flow.states = p.states
	return err
}

// Close stops everything. Executions and jobs go on where they were when the folder is opened again.
func (p *Platform) Close(ctx context.Context) error {
	var errs []error
	if p.states != nil {
		errs = append(errs, p.states.Close())
	}
	if p.sagemaker != nil {
		errs = append(errs, p.sagemaker.Close(ctx))
	}
	if p.db != nil {
		errs = append(errs, p.db.Close())
	}
	if p.lock != nil {
		errs = append(errs, p.lock.Close())
	}
	return errors.Join(errs...)
}
