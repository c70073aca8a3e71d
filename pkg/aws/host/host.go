// Package host wires the platform for AWS Lambda: DynamoDB, S3, Step Functions and SageMaker behind the
// same ports, handlers and API as on one machine. The mains in functions/ only name what they serve.
package host

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	s3client "github.com/aws/aws-sdk-go-v2/service/s3"
	sagemakerclient "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/aws/cloudwatch"
	"github.com/perennial-llm/perennial/pkg/aws/cognito"
	"github.com/perennial-llm/perennial/pkg/aws/dynamo"
	"github.com/perennial-llm/perennial/pkg/aws/s3"
	"github.com/perennial-llm/perennial/pkg/aws/sagemaker"
	"github.com/perennial-llm/perennial/pkg/aws/states"
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/config"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/identity"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/monitor"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/table"
	"github.com/perennial-llm/perennial/pkg/training"
	"github.com/perennial-llm/perennial/training/contract"
)

// Objects are files with uploads in parts. *s3.Store is one.
type Objects interface {
	object.Store
	object.Uploads
	object.PartLister
}

// Adapters are what the core stands on in an account.
type Adapters struct {
	Table     table.Table
	Objects   Objects
	Signer    object.Signer // of addresses in the store of Objects
	Workflow  states.Workflow
	Endpoints sagemaker.Endpoints
	Jobs      cloudwatch.Jobs
	Directory identity.Directory // of people; nil where nobody signs in
}

// Platform is everything, wired.
type Platform struct {
	Adapters
	Config   config.Config
	Logger   *slog.Logger
	Identity identity.Members
	Log      *audit.Log
	Dataset  *dataset.Service
	Catalog  *benchmark.Catalog
	Registry *registry.Service
	Training *training.Service
	Rollout  *rollout.Service
	Monitor  *monitor.Service
}

// Open reads the environment and wires the platform over the account's services.
func Open(ctx context.Context) (*Platform, error) {
	c, err := config.Load(os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	account, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	return Wire(c, adapters(c, account), logger), nil
}

func adapters(c config.Config, account aws.Config) Adapters {
	store := s3client.NewFromConfig(account)
	return Adapters{
		Table:     table.Limit(dynamo.New(dynamodb.NewFromConfig(account), c.Table, ids.WallClock)),
		Objects:   s3.New(store, c.Bucket),
		Signer:    s3.NewSigner(s3client.NewPresignClient(store), c.Bucket, ids.WallClock),
		Workflow:  states.New(sfn.NewFromConfig(account), c.Machines),
		Endpoints: sagemaker.New(sagemakerruntime.NewFromConfig(account)),
		Jobs:      cloudwatch.New(cloudwatchlogs.NewFromConfig(account), sagemakerclient.NewFromConfig(account)),
		Directory: directory(c, account),
	}
}

// directory is the user pool of the API's function; no other function has one.
func directory(c config.Config, account aws.Config) identity.Directory {
	if c.UserPool == "" {
		return nil
	}
	issuer := "https://cognito-idp." + c.Region() + ".amazonaws.com/" + c.UserPool
	keys := cognito.NewKeys(issuer+"/.well-known/jwks.json", ids.WallClock)
	return cognito.New(cognitoidentityprovider.NewFromConfig(account), c.UserPool, c.Client, cognito.NewVerifier(keys, issuer, c.Client, ids.WallClock))
}

// Wire makes the core over some adapters.
func Wire(c config.Config, a Adapters, logger *slog.Logger) *Platform {
	p := &Platform{Adapters: a, Config: c, Logger: logger}
	clock, newID := ids.Clock(ids.WallClock), ids.ULIDs(ids.WallClock)
	p.Log = audit.NewLog(p.Table, clock, newID)
	p.Identity = identity.Members{Directory: p.Directory,
		Service: identity.NewService(identity.Options{Table: p.Table, Log: p.Log, Clock: clock, NewID: newID})}
	p.Catalog = &benchmark.Catalog{Table: p.Table, Log: p.Log, Objects: p.Objects, Clock: clock}
	p.Dataset = dataset.New(dataset.Deps{Table: p.Table, Log: p.Log, Objects: p.Objects, Clock: clock, IDs: newID, Workflow: p.Workflow,
		Overlaps: p.overlaps})
	p.Registry = registry.New(registry.Deps{Table: p.Table, Log: p.Log, Clock: clock, CheckTrain: contract.CheckSections})
	p.Monitor = monitor.New(monitor.Deps{Table: p.Table, Clock: clock, Mask: mask})
	p.Training = training.New(training.Deps{Table: p.Table, Log: p.Log, Objects: p.Objects, Registry: p.Registry, Datasets: p.Dataset,
		Catalog: p.Catalog, Policy: gate.DefaultPolicy(), Workflow: p.Workflow, Clock: clock, IDs: newID, Logger: logger,
		Places: training.Places{Bucket: c.Bucket, Code: c.Code}})
	p.Rollout = rollout.New(rollout.Deps{Table: p.Table, Log: p.Log, Registry: p.Registry, Monitor: p.Monitor, Workflow: p.Workflow,
		Asker: p.Endpoints, Clock: clock, IDs: newID, Logger: logger})
	return p
}

// overlaps indexes all benchmarks for one admission: a function handles one at a time.
func (p *Platform) overlaps(ctx context.Context, _ dataset.Dataset) (dataset.Overlaps, error) {
	return p.Catalog.Index(ctx)
}

func mask(text string) string {
	masked, _ := rows.MaskText(text)
	return masked
}
