package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/jsii-runtime-go"
)

// Data is what must never be lost: records, objects, and the training code that made models.
type Data struct {
	awscdk.Stack
	Table  awsdynamodb.Table
	Bucket awss3.Bucket
	Code   *string // S3 address of the training code
}

// NewData makes the data stack. Its table and bucket survive the stack.
func NewData(app awscdk.App, s Settings) Data {
	st := stack(app, s, "data", "records and objects")
	keep(st)
	d := Data{Stack: st, Table: newTable(st), Bucket: newBucket(st, s.WebOrigin)}
	key := "code/" + digest(s.Code) + "/"
	awss3deployment.NewBucketDeployment(st, jsii.String("TrainingCode"), &awss3deployment.BucketDeploymentProps{
		DestinationBucket: d.Bucket, DestinationKeyPrefix: jsii.String(key), Prune: jsii.Bool(false), RetainOnDelete: jsii.Bool(true), LogGroup: copyLogs(st),
		Sources: &[]awss3deployment.ISource{awss3deployment.Source_Asset(&s.Code, &awss3assets.AssetOptions{Exclude: ofCode, IgnoreMode: awscdk.IgnoreMode_GIT})},
	})
	d.Code = jsii.String("s3://" + *d.Bucket.BucketName() + "/" + key)
	return d
}

// copyLogs are the logs of the CDK's own function that copies files to buckets.
func copyLogs(st awscdk.Stack) awslogs.ILogGroup {
	return awslogs.NewLogGroup(st, jsii.String("CopyLogs"), &awslogs.LogGroupProps{Retention: awslogs.RetentionDays_THREE_MONTHS, RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
}

// newTable makes the one table for all records; attribute names are those of pkg/aws/dynamo.
func newTable(st awscdk.Stack) awsdynamodb.Table {
	t := awsdynamodb.NewTable(st, jsii.String("Records"), &awsdynamodb.TableProps{
		PartitionKey: text("PK"), SortKey: text("SK"), BillingMode: awsdynamodb.BillingMode_PAY_PER_REQUEST,
		TimeToLiveAttribute: jsii.String("ttl"), DeletionProtection: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
	})
	for _, key := range []string{"G1", "G2"} { // in order: two syntheses give the same template
		t.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{IndexName: jsii.String("GSI" + key[1:]),
			PartitionKey: text(key + "P"), SortKey: text(key + "S"), ProjectionType: awsdynamodb.ProjectionType_ALL})
	}
	return t
}

func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

func newBucket(st awscdk.Stack, origin string) awss3.Bucket {
	b := awss3.NewBucket(st, jsii.String("Objects"), &awss3.BucketProps{
		Versioned: jsii.Bool(true), EnforceSSL: jsii.Bool(true), BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption: awss3.BucketEncryption_S3_MANAGED, RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
		ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Cors: &[]*awss3.CorsRule{{AllowedOrigins: jsii.Strings(origin), AllowedMethods: &[]awss3.HttpMethods{awss3.HttpMethods_PUT},
			AllowedHeaders: jsii.Strings("content-type", "x-amz-*"), ExposedHeaders: jsii.Strings("ETag"), MaxAge: jsii.Number(3600)}},
		LifecycleRules: &[]*awss3.LifecycleRule{
			{Id: jsii.String("unfinished-uploads"), AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(7))},
			{Id: jsii.String("old-versions"), NoncurrentVersionExpiration: awscdk.Duration_Days(jsii.Number(90))},
			{Id: jsii.String("upload-parts"), Prefix: jsii.String("uploads/"), Expiration: awscdk.Duration_Days(jsii.Number(7))},
		},
	})
	// The L2 property would add a custom resource with a function in Python for this one switch.
	b.Node().DefaultChild().(awss3.CfnBucket).AddPropertyOverride(
		jsii.String("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled"), true)
	return b
}

// ofCode leaves out what is beside the training code: tests, and what tools left there.
var ofCode = jsii.Strings("tests/", "__pycache__/", "*.pyc", ".*")

// digest names a version of the training code by its files' names and contents.
func digest(dir string) string {
	return (*awscdk.FileSystem_Fingerprint(&dir, &awscdk.FingerprintOptions{Exclude: ofCode, IgnoreMode: awscdk.IgnoreMode_GIT}))[:16]
}
