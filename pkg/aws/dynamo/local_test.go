package dynamo_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/dynamo"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

// DynamoDB Local deviates from DynamoDB in what this file lists. Each test holds that it still
// deviates, so that what the suites cannot show over it stays known, and a mended one shows up.

func localTable(t *testing.T, name string) *dynamodb.Client {
	api := client(t)
	require.NoError(t, dynamo.Create(t.Context(), api, name))
	return api
}

// Indexes of DynamoDB lag behind; the lag is tried over SQLite, which can be told to have one.
func TestDynamoLocal_StillHasIndexesWithoutLag(t *testing.T) {
	records := dynamo.New(localTable(t, "no-lag"), "no-lag", porttest.NewClock().Now)
	for i := range 50 {
		it := table.Item{Key: table.Key{PK: "A", SK: fmt.Sprint(i)}, Body: []byte(`{}`)}
		it.Idx = map[table.Index]table.Key{table.GSI1: {PK: "X", SK: fmt.Sprint(i)}}
		require.NoError(t, records.Write(t.Context(), "", table.Op{Kind: table.Put, Item: it}))
		page, err := records.Query(t.Context(), table.Query{Index: table.GSI1, PK: "X"})
		require.NoError(t, err)
		require.Len(t, page.Items, i+1)
	}
}

// IAM decides on DynamoDB; the permissions are tried over the synthesized templates.
func TestDynamoLocal_StillTakesAnyCredentials(t *testing.T) {
	localTable(t, "anybody")
	stranger := dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(porttest.DynamoLocal(t)),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "stranger", SecretAccessKey: "wrong"}, nil
		}),
	})
	_, err := stranger.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("anybody")})
	require.NoError(t, err, "DynamoDB says UnrecognizedClientException")
}

// Backups are asserted on the template of the data stack.
func TestDynamoLocal_StillKnowsNoBackups(t *testing.T) {
	api := localTable(t, "no-backups")
	_, err := api.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String("no-backups")})
	require.ErrorContains(t, err, "UnknownOperationException")
}
