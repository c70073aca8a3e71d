package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/perennial-llm/perennial/infra/constructs"
)

// imagesAccount owns AWS's deep learning images.
const imagesAccount = "763104351884"

// newTrainingRole is what training and evaluation jobs may do: read their inputs, write their outputs,
// log, fetch their image, and ask the judges that were named.
func newTrainingRole(st awscdk.Stack, s Settings, d Data) awsiam.Role {
	r := sagemakerRole(st, "TrainingRole", "What training and evaluation jobs may do")
	r.AddToPolicy(constructs.ReadObjects.On(d.objects([]string{"code/", "runs/", "evaluations/", "models/", "shards/"})...))
	r.AddToPolicy(constructs.ListObjects.On(d.Bucket.BucketArn()))
	r.AddToPolicy(constructs.Actions{"s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"}.On(d.objects([]string{"runs/", "evaluations/"})...))
	for _, ask := range askJudges(st, s.JudgeModels) {
		r.AddToPolicy(ask)
	}
	containerBasics(st, r, "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TrainingJobs")
	return r
}

// newServingRole is what endpoints may do: read model files, log, and fetch their image.
func newServingRole(st awscdk.Stack, d Data) awsiam.Role {
	r := sagemakerRole(st, "ServingRole", "What endpoints may do")
	r.AddToPolicy(constructs.ReadObjects.On(d.objects([]string{"runs/", "models/"})...))
	r.AddToPolicy(constructs.ListObjects.On(d.Bucket.BucketArn()))
	containerBasics(st, r, "/aws/sagemaker/Endpoints/*", "/aws/sagemaker/Endpoints")
	return r
}

func sagemakerRole(st awscdk.Stack, id, what string) awsiam.Role {
	account := awsiam.NewServicePrincipal(jsii.String("sagemaker.amazonaws.com"), &awsiam.ServicePrincipalOpts{
		Conditions: &map[string]any{"StringEquals": map[string]*string{"aws:SourceAccount": st.Account()}}})
	return awsiam.NewRole(st, jsii.String(id), &awsiam.RoleProps{AssumedBy: account, Description: jsii.String(what)})
}

// containerBasics let a container log, count and be fetched. The two actions on "*" know no resources.
func containerBasics(st awscdk.Stack, r awsiam.Role, logGroup, namespace string) {
	arn := func(suffix string) *string {
		return st.FormatArn(&awscdk.ArnComponents{Service: jsii.String("logs"), Resource: jsii.String("log-group"),
			ResourceName: jsii.String(logGroup + suffix), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME})
	}
	r.AddToPolicy(constructs.Actions{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}.On(arn(""), arn(":*")))
	r.AddToPolicy(constructs.Actions{"cloudwatch:PutMetricData"}.OnIf(map[string]string{"cloudwatch:namespace": namespace}, constructs.Any()))
	r.AddToPolicy(constructs.Actions{"ecr:GetAuthorizationToken"}.On(constructs.Any()))
	r.AddToPolicy(constructs.Actions{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}.On(
		jsii.String("arn:" + *st.Partition() + ":ecr:" + *st.Region() + ":" + imagesAccount + ":repository/*")))
}

// mayPass lets a state machine's role give a role to SageMaker, and to nothing else.
func mayPass(role awsiam.Role) awsiam.PolicyStatement {
	return constructs.Actions{"iam:PassRole"}.OnIf(map[string]string{"iam:PassedToService": "sagemaker.amazonaws.com"}, role.RoleArn())
}
