package dynamo_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/dynamo"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

func client(t testing.TB) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(porttest.DynamoLocal(t)),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

var tables atomic.Int64

func open(t testing.TB, clock ids.Clock) table.Table {
	api, name := client(t), fmt.Sprintf("records-%d", tables.Add(1))
	require.NoError(t, dynamo.Create(t.Context(), api, name))
	return dynamo.New(api, name, clock)
}

func TestTable_Conforms(t *testing.T) {
	porttest.Table(t, func(t *testing.T, clock ids.Clock) table.Table { return open(t, clock) })
}

func TestTable_CarriesTheAuditLog(t *testing.T) {
	porttest.Audit(t, func(t *testing.T, clock ids.Clock) table.Table { return open(t, clock) })
}

func TestTable_WithoutItsTable_SaysSo(t *testing.T) {
	records := dynamo.New(client(t), "no-such-table", porttest.NewClock().Now)
	_, err := records.Get(t.Context(), table.Key{PK: "A", SK: "1"}, table.Consistent)
	require.Equal(t, errs.Internal, errs.CodeOf(err))
	require.ErrorContains(t, err, "deploy the data stack")
}

func TestTable_WithoutAnswer_IsUnavailable(t *testing.T) {
	api := dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
	records := dynamo.New(api, "records", porttest.NewClock().Now)
	err := records.Write(t.Context(), "", table.Op{Kind: table.Delete, Item: table.Item{Key: table.Key{PK: "A", SK: "1"}}})
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
}
