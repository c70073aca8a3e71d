// Package stacks describes Perennial in an AWS account: data (records and objects), pipeline (functions,
// state machines, arrivals, schedules), api, web and observe. One file per stack.
package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// Settings are what a deployment may choose, by `cdk deploy -c name=value` or in cdk.json.
type Settings struct {
	Prefix           string // of stacks and named resources: "perennial"
	Dist             string // folder with <function>.zip
	Web              string // folder with the built web app
	Code             string // folder with the training code
	TrainingImage    string // "{region}" stands for the stack's
	TrainingInstance string
	ServingImage     string
	ServingInstance  string
	JudgeModels      []string // of Bedrock, that may score answers; none = jobs may ask no model of Bedrock
	AlarmEmail       string   // empty = nobody is mailed
	AdminEmail       string   // of the first admin, whom Cognito invites; empty = nobody is
	WebOrigin        string   // of pages that may send files to the bucket by signed addresses; one * is allowed
	Version          string
}

// FromContext reads the settings of an app. A missing one panics: synthesis has no other way to fail.
func FromContext(app awscdk.App) Settings {
	get := func(name, fallback string) string {
		if v, ok := app.Node().TryGetContext(jsii.String(name)).(string); ok && v != "" {
			return v
		}
		return fallback
	}
	must := func(name string) string {
		if v := get(name, ""); v != "" {
			return v
		}
		panic("context " + name + " is not set: see cdk.json")
	}
	return Settings{
		Prefix: must("prefix"), Dist: get("dist", "dist"), Web: get("web", "frontend/dist"), Code: get("code", "training"),
		TrainingImage: must("trainingImage"), TrainingInstance: must("trainingInstance"),
		ServingImage: must("servingImage"), ServingInstance: must("servingInstance"), JudgeModels: judgeIDs(get("judgeModels", "")),
		AlarmEmail: get("alarmEmail", ""), AdminEmail: get("adminEmail", ""), WebOrigin: get("webOrigin", "https://*.cloudfront.net"), Version: get("version", "development"),
	}
}

// Build adds all stacks to an app.
func Build(app awscdk.App, s Settings) {
	data := NewData(app, s)
	pipeline := NewPipeline(app, s, data)
	api := NewAPI(app, s, data)
	NewWeb(app, s, data, api)
	NewObserve(app, s, pipeline, api)
}

// stack makes an empty stack.
func stack(app awscdk.App, s Settings, name, what string) awscdk.Stack {
	st := awscdk.NewStack(app, jsii.String(s.Prefix+"-"+name), &awscdk.StackProps{Description: jsii.String("Perennial: " + what)})
	awscdk.Tags_Of(st).Add(jsii.String("application"), jsii.String(s.Prefix), nil)
	return st
}

// keep refuses to delete a stack whose loss would be the customer's.
func keep(st awscdk.Stack) { st.SetTerminationProtection(jsii.Bool(true)) }

// image fills in the stack's region.
func image(st awscdk.Stack, uri string) *string {
	return jsii.String(strings.ReplaceAll(uri, "{region}", *st.Region()))
}

// machineARN is the ARN of a state machine by its name. It is made, not taken from the resource, since
// functions and machines name each other.
func (s Settings) machineARN(st awscdk.Stack, name string) *string {
	return st.FormatArn(&awscdk.ArnComponents{Service: jsii.String("states"), Resource: jsii.String("stateMachine"),
		ResourceName: jsii.String(s.Prefix + "-" + name), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME})
}

// executionsARN covers the executions of a state machine.
func (s Settings) executionsARN(st awscdk.Stack, name string) *string {
	return st.FormatArn(&awscdk.ArnComponents{Service: jsii.String("states"), Resource: jsii.String("execution"),
		ResourceName: jsii.String(s.Prefix + "-" + name + ":*"), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME})
}

// sagemakerARN covers resources of one kind, such as "endpoint". Their names begin with nothing of ours: people
// choose names of models and environments.
func sagemakerARN(st awscdk.Stack, kind string) *string { return sagemakerNamed(st, kind, "*") }

// jobARNs cover the training and the evaluation jobs; pkg/training names them.
func jobARNs(st awscdk.Stack) []*string {
	return []*string{sagemakerNamed(st, "training-job", "run-*"), sagemakerNamed(st, "training-job", "ev-*")}
}

func sagemakerNamed(st awscdk.Stack, kind, name string) *string {
	return st.FormatArn(&awscdk.ArnComponents{Service: jsii.String("sagemaker"), Resource: jsii.String(kind), ResourceName: &name})
}
