package dynamo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/aws/dynamo"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

// faulty is a DynamoDB that answers writes with the given errors, one after the other, then with
// success. It counts the calls.
type faulty struct {
	dynamo.API
	answers []error
	calls   int
}

func (f *faulty) TransactWriteItems(
	context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	f.calls++
	if f.calls <= len(f.answers) {
		return nil, f.answers[f.calls-1]
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func (f *faulty) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	f.calls++
	return nil, f.answers[0]
}

func canceled(codes ...string) error {
	reasons := make([]types.CancellationReason, len(codes))
	for i, c := range codes {
		reasons[i].Code = aws.String(c)
	}
	return &types.TransactionCanceledException{CancellationReasons: reasons}
}

func repeat(err error, n int) []error {
	all := make([]error, n)
	for i := range all {
		all[i] = err
	}
	return all
}

func writeTo(t *testing.T, f *faulty, c table.Cond) error {
	noWait := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	records := dynamo.NewWithWait(f, porttest.NewClock().Now, noWait)
	return records.Write(t.Context(), "", table.Op{Kind: table.Delete, Item: table.Item{Key: table.Key{PK: "A", SK: "1"}}, If: c})
}

func TestTable_TriesAgainWhenOthersAreInTheWay(t *testing.T) {
	f := &faulty{answers: []error{canceled("TransactionConflict"), canceled("ThrottlingError"), canceled("ProvisionedThroughputExceeded")}}
	require.NoError(t, writeTo(t, f, table.Cond{}))
	require.Equal(t, 4, f.calls)
}

func TestTable_GivesUpInTheEnd(t *testing.T) {
	f := &faulty{answers: repeat(canceled("TransactionConflict"), 100)}
	require.Equal(t, errs.Unavailable, errs.CodeOf(writeTo(t, f, table.Cond{})))
	require.Equal(t, 30, f.calls)
}

func TestTable_DoesNotRepeatAFailedCondition(t *testing.T) {
	f := &faulty{answers: []error{canceled("ConditionalCheckFailed")}}
	err := writeTo(t, f, table.Cond{Kind: table.Exists})
	var failed *table.CanceledError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, []int{0}, failed.Failed)
	require.Equal(t, 1, f.calls)
}

func TestTable_TellsErrorsApart(t *testing.T) {
	for code, want := range map[string]errs.Code{
		"ThrottlingException": errs.Unavailable, "InternalServerError": errs.Unavailable, "RequestLimitExceeded": errs.Unavailable,
		"AccessDeniedException": errs.Internal, "ResourceNotFoundException": errs.Internal, "ValidationException": errs.Internal,
	} {
		f := &faulty{answers: []error{&smithy.GenericAPIError{Code: code}}}
		require.Equal(t, want, errs.CodeOf(writeTo(t, f, table.Cond{})), code)
		require.Equal(t, 1, f.calls, "the SDK has tried again already")
		_, err := dynamo.New(f, "records", porttest.NewClock().Now).Get(t.Context(), table.Key{PK: "A", SK: "1"}, table.Eventual)
		require.Equal(t, want, errs.CodeOf(err), code)
	}
	f := &faulty{answers: []error{canceled("ItemCollectionSizeLimitExceeded")}}
	require.Equal(t, errs.Internal, errs.CodeOf(writeTo(t, f, table.Cond{})))
	f = &faulty{answers: []error{errors.Join(context.DeadlineExceeded)}}
	require.ErrorIs(t, writeTo(t, f, table.Cond{}), context.DeadlineExceeded)
}
