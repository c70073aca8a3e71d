// Package constructs holds what several stacks are made of: Lambda functions, state machines and
// policy statements, each with the safe choices made.
package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// Actions are names of IAM actions without a wildcard, such as "s3:GetObject".
type Actions []string

// The actions that stand together. Grants of the CDK would add wildcards such as s3:GetObject*.
var (
	ReadRecords  = Actions{"dynamodb:GetItem", "dynamodb:Query"}
	WriteRecords = Actions{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}
	ReadObjects  = Actions{"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"}
	WriteObjects = Actions{"s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}
	ListObjects  = Actions{"s3:ListBucket", "s3:ListBucketVersions"}
	WriteLogs    = Actions{"logs:CreateLogStream", "logs:PutLogEvents"}
)

// On allows the actions on resources.
func (a Actions) On(resources ...*string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: list(a), Resources: &resources})
}

// OnIf allows the actions on resources while string context keys have these values.
func (a Actions) OnIf(equals map[string]string, resources ...*string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: list(a), Resources: &resources,
		Conditions: &map[string]any{"StringEquals": equals}})
}

// Any is for actions that cannot be held to a resource.
func Any() *string { return jsii.String("*") }

func list(a Actions) *[]*string { return jsii.Strings(a...) }
