package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/perennial-llm/perennial/pkg/config"
)

// sweepMinutes is how often the reconciler looks.
const sweepMinutes = 1

// receives is how often a message is tried before it is given up.
const receives = 5

// queue makes a queue over TLS.
func (p Pipeline) queue(id string, props awssqs.QueueProps) awssqs.Queue {
	props.EnforceSSL, props.Encryption, props.RetentionPeriod = jsii.Bool(true), awssqs.QueueEncryption_SQS_MANAGED, awscdk.Duration_Days(jsii.Number(14))
	props.VisibilityTimeout = awscdk.Duration_Minutes(jsii.Number(6)) // six times the function's time
	return awssqs.NewQueue(p.Stack, jsii.String(id), &props)
}

// onArrival turns objects that arrive below incoming/ into ingestions. Events come at least once and in
// any order: registering is idempotent by key and version. What was given up is tried once more, and kept
// where people see why it fails and can replay it.
func (p Pipeline) onArrival(d Data) {
	dead := p.queue("ArrivalsDeadLetters", awssqs.QueueProps{})
	queue := p.queue("Arrivals", awssqs.QueueProps{DeadLetterQueue: &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(receives)}})
	p.DeadLetters["Arrivals"] = dead
	awsevents.NewRule(p.Stack, jsii.String("ObjectArrived"), &awsevents.RuleProps{
		Description: jsii.String("An object was created below incoming/"),
		EventPattern: &awsevents.EventPattern{Source: jsii.Strings("aws.s3"), DetailType: jsii.Strings("Object Created"),
			Detail: &map[string]any{"bucket": map[string]any{"name": []*string{d.Bucket.BucketName()}},
				"object": map[string]any{"key": []any{map[string]string{"prefix": "incoming/"}}}}},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSqsQueue(queue, &awseventstargets.SqsQueueProps{DeadLetterQueue: dead})},
	})
	f := p.Functions["dataset-register"]
	f.AddEnvironment(jsii.String(config.Letters), dead.QueueArn(), nil)
	for _, q := range []awssqs.Queue{queue, dead} {
		f.AddEventSource(awslambdaeventsources.NewSqsEventSource(q, &awslambdaeventsources.SqsEventSourceProps{
			BatchSize: jsii.Number(10), ReportBatchItemFailures: jsii.Bool(true), MaxConcurrency: jsii.Number(10)}))
	}
}

// onSchedule looks regularly for what is due and what was interrupted. A look that is lost is not kept: the
// next one sees the same, and an alarm tells when there is none.
func (p Pipeline) onSchedule() {
	sweep := p.Functions["trigger-sweep"]
	sweep.ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{MaxEventAge: awscdk.Duration_Minutes(jsii.Number(sweepMinutes)), RetryAttempts: jsii.Number(0)})
	awsevents.NewRule(p.Stack, jsii.String("Sweep"), &awsevents.RuleProps{
		Description: jsii.String("Triggers, expiries and interrupted work"),
		Schedule:    awsevents.Schedule_Rate(awscdk.Duration_Minutes(jsii.Number(sweepMinutes))),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(sweep, &awseventstargets.LambdaFunctionProps{
			MaxEventAge: awscdk.Duration_Minutes(jsii.Number(sweepMinutes)), RetryAttempts: jsii.Number(0)})},
	})
}
