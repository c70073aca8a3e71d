package s3_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	store "github.com/perennial-llm/perennial/pkg/aws/s3"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

func client(endpoint string) *s3.Client {
	return s3.New(s3.Options{
		Region: "eu-central-1", BaseEndpoint: &endpoint, UsePathStyle: true, RetryMaxAttempts: 2,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

var buckets atomic.Int64

func bucket(t testing.TB) (*s3.Client, string) {
	api, name := client(porttest.Moto(t)), fmt.Sprintf("objects-%d", buckets.Add(1))
	_, err := api.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"},
	})
	require.NoError(t, err)
	_, err = api.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	require.NoError(t, err)
	return api, name
}

func TestStore_Conforms(t *testing.T) {
	porttest.Object(t, func(t *testing.T) porttest.ObjectStore {
		api, name := bucket(t)
		return store.New(mend(api), name)
	})
}

func TestStore_WithoutAnswer_IsUnavailable(t *testing.T) {
	_, _, err := store.New(client("http://127.0.0.1:1"), "objects").Get(t.Context(), "k", 0)
	require.Equal(t, errs.Unavailable, errs.CodeOf(err))
}

func TestStore_WithoutItsBucket_SaysSo(t *testing.T) {
	_, err := store.New(client(porttest.Moto(t)), "no-such-bucket").List(t.Context(), "", "", 1)
	require.Equal(t, errs.Internal, errs.CodeOf(err))
	require.ErrorContains(t, err, "NoSuchBucket")
}
