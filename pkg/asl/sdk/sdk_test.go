package sdk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl/sdk"
)

func TestHas_KnowsActionsAsStepFunctionsWritesThem(t *testing.T) {
	for action, want := range map[string]bool{
		"sagemaker:describeEndpoint": true, "s3:getObject": true, "sfn:startExecution": true, "cloudwatchlogs:getLogEvents": true,
		"rds:describeDBInstances": true, "databasemigration:describeEndpoints": true, "config:putConfigRule": true, "eventbridge:putEvents": true,
		"s3:GetObject": false, "s3:getObjekt": false, "sage:describeEndpoint": false, "": false, "s3": false,
	} {
		require.Equal(t, want, sdk.Has(action), action)
	}
}

func TestFields_AreWrittenAsStepFunctionsWritesThem(t *testing.T) {
	byName := map[string]sdk.Field{}
	for _, f := range append(sdk.Fields("rds:describeDBInstances"), sdk.Fields("sqs:sendMessage")...) {
		byName[f.Name] = f
	}
	require.Equal(t, sdk.Field{Name: "DbInstanceIdentifier", Text: true, Loose: true}, byName["DbInstanceIdentifier"])
	require.True(t, byName["DbInstanceIdentifier"].Is("DBInstanceIdentifier"))
	require.Equal(t, sdk.Field{Name: "QueueUrl", Text: true, Required: true}, byName["QueueUrl"])
	require.Equal(t, sdk.Field{Name: "DelaySeconds", Whole: true}, byName["DelaySeconds"])
	require.Empty(t, sdk.Fields("sqs:sendMassage"))
}
