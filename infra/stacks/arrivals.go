package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// sweepMinutes is how often the reconciler looks.
const sweepMinutes = 1

// queue makes a queue over TLS with a dead-letter queue.
func (p Pipeline) queue(id string, visible int) awssqs.Queue {
	dead := awssqs.NewQueue(p.Stack, jsii.String(id+"DeadLetters"), &awssqs.QueueProps{EnforceSSL: jsii.Bool(true),
		Encryption: awssqs.QueueEncryption_SQS_MANAGED, RetentionPeriod: awscdk.Duration_Days(jsii.Number(14))})
	p.DeadLetters[id] = dead
	return awssqs.NewQueue(p.Stack, jsii.String(id), &awssqs.QueueProps{EnforceSSL: jsii.Bool(true),
		Encryption: awssqs.QueueEncryption_SQS_MANAGED, VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(visible)),
		DeadLetterQueue: &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(5)}})
}

// onArrival turns objects that arrive below incoming/ into ingestions. Events come at least once and in
// any order: registering is idempotent by key and version.
func (p Pipeline) onArrival(d Data) {
	queue := p.queue("Arrivals", 6*60)
	awsevents.NewRule(p.Stack, jsii.String("ObjectArrived"), &awsevents.RuleProps{
		Description: jsii.String("An object was created below incoming/"),
		EventPattern: &awsevents.EventPattern{Source: jsii.Strings("aws.s3"), DetailType: jsii.Strings("Object Created"),
			Detail: &map[string]any{"bucket": map[string]any{"name": []*string{d.Bucket.BucketName()}},
				"object": map[string]any{"key": []any{map[string]string{"prefix": "incoming/"}}}}},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSqsQueue(queue, &awseventstargets.SqsQueueProps{DeadLetterQueue: p.DeadLetters["Arrivals"]})},
	})
	p.Functions["dataset-register"].AddEventSource(awslambdaeventsources.NewSqsEventSource(queue, &awslambdaeventsources.SqsEventSourceProps{
		BatchSize: jsii.Number(10), ReportBatchItemFailures: jsii.Bool(true), MaxConcurrency: jsii.Number(10)}))
}

// onSchedule looks regularly for what is due and what was interrupted.
func (p Pipeline) onSchedule() {
	dead := awssqs.NewQueue(p.Stack, jsii.String("SweepDeadLetters"), &awssqs.QueueProps{EnforceSSL: jsii.Bool(true),
		Encryption: awssqs.QueueEncryption_SQS_MANAGED, RetentionPeriod: awscdk.Duration_Days(jsii.Number(14))})
	p.DeadLetters["Sweep"] = dead
	awsevents.NewRule(p.Stack, jsii.String("Sweep"), &awsevents.RuleProps{
		Description: jsii.String("Triggers, expiries and interrupted work"),
		Schedule:    awsevents.Schedule_Rate(awscdk.Duration_Minutes(jsii.Number(sweepMinutes))),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(p.Functions["trigger-sweep"], &awseventstargets.LambdaFunctionProps{
			DeadLetterQueue: dead, RetryAttempts: jsii.Number(2)})},
	})
}
