// Package dynamo keeps the records in one DynamoDB table: it implements table.Table.
//
// Attributes: PK and SK (strings, the primary key), b (body, string), v (revision), ttl (seconds
// since 1970, the table's TTL attribute), n_<name> (counters), G1P, G1S, G2P, G2S (keys of the
// indexes GSI1 and GSI2, which project everything).
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/table"
)

// API is what the adapter calls of DynamoDB.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
}

// records implements table.Table.
type records struct {
	api   API
	name  string
	clock ids.Clock
	wait  func(ctx context.Context, d time.Duration) error
}

var _ table.Table = (*records)(nil)

// New gives the records in the DynamoDB table of the name.
func New(api API, name string, clock ids.Clock) table.Table {
	return table.Limit(&records{api: api, name: name, clock: clock, wait: sleep})
}

// Get reads one item.
func (r *records) Get(ctx context.Context, key table.Key, c table.Consistency) (table.Item, error) {
	out, err := r.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &r.name, Key: keyAttributes(key), ConsistentRead: aws.Bool(bool(c)),
	})
	if err != nil {
		return table.Item{}, classify("read item", err)
	}
	it, err := decode(out.Item)
	if err != nil {
		return table.Item{}, err
	}
	if it = table.Live(it, r.clock()); it == nil {
		return table.Item{}, errs.New(errs.NotFound, "no record %s %s", key.PK, key.SK)
	}
	return *it, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// backoff is between half and the whole of 5 ms·2^try, at most 500 ms.
func backoff(try int) time.Duration {
	d := min(5*time.Millisecond<<min(try, 20), 500*time.Millisecond)
	return d/2 + rand.N(d/2+1)
}

// temporary are the codes of what may work when tried again.
var temporary = map[string]bool{
	"TransactionConflictException": true, "TransactionInProgressException": true, "ThrottlingException": true,
	"ProvisionedThroughputExceededException": true, "RequestLimitExceeded": true, "InternalServerError": true,
	"LimitExceededException": true, "ServiceUnavailable": true,
}

// classify gives errors of the service a code, in one place.
func classify(doing string, err error) error {
	var api smithy.APIError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", doing, err)
	case !errors.As(err, &api):
		return errs.New(errs.Unavailable, "%s: the database does not answer: %w", doing, err)
	case temporary[api.ErrorCode()]:
		return errs.New(errs.Unavailable, "%s: the database is busy: %w", doing, err).Mend("try again")
	case api.ErrorCode() == "ResourceNotFoundException":
		return errs.New(errs.Internal, "%s: the table does not exist: %w", doing, err).Mend("deploy the data stack")
	case api.ErrorCode() == "AccessDeniedException":
		return errs.New(errs.Internal, "%s: the role lacks a permission: %w", doing, err)
	}
	return errs.New(errs.Internal, "%s: %w", doing, err)
}

// Admin is what Create calls of DynamoDB.
type Admin interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
}

// Create makes the table as the data stack does, and waits until it can be used. For rehearsals and tests.
func Create(ctx context.Context, api Admin, name string) error {
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := api.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: schema(attrPK, attrSK),
		AttributeDefinitions: []types.AttributeDefinition{
			attribute(attrPK), attribute(attrSK), attribute("G1P"), attribute("G1S"), attribute("G2P"), attribute("G2S"),
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{index(table.GSI1, "G1P", "G1S"), index(table.GSI2, "G2P", "G2S")},
	})
	if err != nil {
		return classify("create table", err)
	}
	waiter := dynamodb.NewTableExistsWaiter(api, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		return classify("wait for table", err)
	}
	return nil
}

func schema(pk, sk string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &pk, KeyType: types.KeyTypeHash}, {AttributeName: &sk, KeyType: types.KeyTypeRange},
	}
}

func index(name table.Index, pk, sk string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName: aws.String(string(name)), KeySchema: schema(pk, sk), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
	}
}
