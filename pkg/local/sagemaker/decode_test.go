package sagemaker_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aws_sagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
)

const trainingJSON = `{"TrainingJobName":"job-1","RoleArn":"arn:aws:iam::000000000000:role/training",
 "AlgorithmSpecification":{"TrainingImage":"img","TrainingInputMode":"File","ContainerEntrypoint":["python3","/opt/ml/input/data/code/train.py"]},
 "HyperParameters":{"seed":"17"},
 "InputDataConfig":[{"ChannelName":"code","DataSource":{"S3DataSource":{"S3DataType":"S3Prefix","S3Uri":"s3://bkt/code/abc/"}}},
  {"ChannelName":"train","DataSource":{"S3DataSource":{"S3DataType":"S3Prefix","S3Uri":"s3://bkt/data/train/"}}}],
 "OutputDataConfig":{"S3OutputPath":"s3://bkt/runs/r1","CompressionType":"NONE"},
 "ResourceConfig":{"InstanceType":"ml.g5.xlarge","InstanceCount":1,"VolumeSizeInGB":50},
 "StoppingCondition":{"MaxRuntimeInSeconds":3600}}`

func TestDecodeStrict(t *testing.T) {
	t.Run("Step Functions' parameters become the SDK's input", func(t *testing.T) {
		var in aws_sagemaker.CreateTrainingJobInput
		require.NoError(t, sagemaker.DecodeStrict([]byte(trainingJSON), &in))
		require.Equal(t, types.TrainingInstanceTypeMlG5Xlarge, in.ResourceConfig.InstanceType)
		require.Equal(t, int32(3600), *in.StoppingCondition.MaxRuntimeInSeconds)
		require.Equal(t, "s3://bkt/code/abc/", *in.InputDataConfig[0].DataSource.S3DataSource.S3Uri)
	})
	for name, c := range map[string]struct{ doc, want string }{
		"an unknown field":   {`{"ModelName":"m","Colour":"red"}`, `/Colour: the field "Colour" is not supported`},
		"another case":       {`{"modelName":"m"}`, `/modelName: the field "modelName" is not supported`},
		"deep inside":        {`{"ModelName":"m","PrimaryContainer":{"ModelDataSource":{"S3DataSource":{"S3URI":"x"}}}}`, "/PrimaryContainer/ModelDataSource/S3DataSource/S3URI"},
		"in a list":          {`{"ModelName":"m","Tags":[{"Key":"a","Value":"b"},{"key":"a"}]}`, "/Tags/1/key"},
		"a number for text":  {`{"ModelName":7}`, "/ModelName: expected a string, found 7"},
		"a number in a map":  {`{"ModelName":"m","PrimaryContainer":{"Environment":{"A":1}}}`, "/PrimaryContainer/Environment/A: expected a string, found 1"},
		"a list for a thing": {`{"ModelName":"m","PrimaryContainer":[]}`, "/PrimaryContainer: expected an object, found []"},
		"a required field":   {`{}`, "missing required field, CreateModelInput.ModelName"},
		"a required member":  {`{"ModelName":"m","PrimaryContainer":{"ModelDataSource":{"S3DataSource":{"S3Uri":"s3://b/k"}}}}`, "S3DataType"},
		"no JSON":            {`{`, "expected an object"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			var in aws_sagemaker.CreateModelInput
			require.ErrorContains(t, sagemaker.DecodeStrict([]byte(c.doc), &in), c.want)
		})
	}
}

func TestEncode(t *testing.T) {
	when := time.Date(2026, 11, 24, 12, 0, 0, 5e6, time.UTC)
	out := &aws_sagemaker.DescribeEndpointOutput{EndpointName: aws.String("e"), EndpointStatus: types.EndpointStatusInService, CreationTime: &when,
		ProductionVariants: []types.ProductionVariantSummary{{VariantName: aws.String("main"), CurrentWeight: aws.Float32(1)}}}
	optimized, err := sagemaker.Encode(out, sagemaker.EpochMillis)
	require.NoError(t, err)
	require.JSONEq(t, `{"EndpointName":"e","EndpointStatus":"InService","CreationTime":1795521600005,"ProductionVariants":[{"VariantName":"main","CurrentWeight":1}]}`, string(optimized))
	sdk, err := sagemaker.Encode(out, sagemaker.ISO8601)
	require.NoError(t, err)
	require.Contains(t, string(sdk), `"CreationTime":"2026-11-24T12:00:00.005Z"`)
}
