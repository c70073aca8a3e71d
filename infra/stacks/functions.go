package stacks

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/perennial-llm/perennial/infra/constructs"
	"github.com/perennial-llm/perennial/pkg/config"
)

// need is what a function does beside reading and writing records.
type need struct {
	reads     []string // key prefixes of objects
	writes    []string
	starts    []string // state machines
	stops     []string // state machines whose executions it may stop
	answers   []string // state machines whose waiting tasks it answers
	asks      bool     // endpoints
	watches   bool     // jobs, executions and their logs, for the API
	seconds   int
	memory    int // MB
	ephemeral int // MB
}

// admitted are the key prefixes of dataset versions and of what they were made from.
var admitted = []string{"shards/", "datasets/", "ingestions/"}

// taskNeeds says what each function that a state machine, an arrival or the schedule calls may do.
var taskNeeds = map[string]need{
	"dataset-register":   {reads: []string{"incoming/"}, starts: []string{"ingest-data"}},
	"dataset-check":      {reads: append([]string{"incoming/", "benchmarks/"}, admitted...), writes: admitted, seconds: 900, memory: 1769, ephemeral: 10240},
	"dataset-publish":    {reads: append([]string{"incoming/"}, admitted...), writes: admitted, seconds: 900, memory: 1769, ephemeral: 10240},
	"dataset-quarantine": {reads: []string{"ingestions/"}, answers: []string{"ingest-data"}},
	"training-plan":      {reads: []string{"benchmarks/", "datasets/", "models/", "runs/"}, writes: []string{"runs/"}, memory: 512},
	"training-register":  {reads: []string{"runs/", "models/"}, seconds: 300, memory: 512},
	"training-fail":      {},
	"training-conclude":  {},
	"evaluation-plan":    {reads: []string{"benchmarks/"}, writes: []string{"evaluations/"}, memory: 512},
	"gate-decide":        {reads: []string{"benchmarks/", "evaluations/"}, writes: []string{"reports/"}, seconds: 900, memory: 1769},
	"release-request":    {starts: []string{"release-model"}},
	"release-close":      {},
	"release-decline":    {},
	"approval-request":   {answers: []string{"release-model"}},
	"rollout-prepare":    {},
	"rollout-verify":     {asks: true, seconds: 120},
	"rollout-shift":      {},
	"rollout-judge":      {asks: true, seconds: 300},
	"rollout-finish":     {seconds: 120},
	"rollout-revert":     {seconds: 120, starts: []string{"rollback-release"}},
	"rollback-verify":    {asks: true},
	"rollback-fail":      {},
	"trigger-sweep": {starts: []string{"train-model", "release-model", "rollback-release", "ingest-data"},
		answers: []string{"release-model", "ingest-data"}, stops: []string{"train-model", "release-model"}, reads: append([]string{"incoming/", "audit/"}, admitted...), writes: []string{"audit/"}},
}

// apiNeeds are those of the one function behind the API.
var apiNeeds = need{
	reads:  append([]string{"incoming/", "uploads/", "benchmarks/", "evaluations/", "reports/", "models/", "audit/"}, admitted...),
	writes: []string{"incoming/", "uploads/", "benchmarks/", "models/", "audit/"},
	starts: []string{"ingest-data", "train-model", "release-model", "rollback-release"},
	stops:  []string{"train-model", "release-model"}, answers: []string{"release-model", "ingest-data"},
	asks: true, watches: true, seconds: 29, memory: 1024,
}

// Functions are Lambda functions by folder name.
type Functions map[string]awslambda.Function

// newFunctions makes the functions of a table of needs, in order of names.
func newFunctions(st awscdk.Stack, s Settings, d Data, needs map[string]need) Functions {
	out := Functions{}
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		out[name] = newFunction(st, s, d, name, needs[name])
	}
	return out
}

func newFunction(st awscdk.Stack, s Settings, d Data, name string, n need) awslambda.Function {
	prefix := *s.machineARN(st, "")
	return constructs.NewFunction(st, name, constructs.FunctionProps{
		Dist: s.Dist, Seconds: n.seconds, Memory: n.memory, Ephemeral: n.ephemeral, Statements: n.statements(st, s, d),
		Environment: map[string]*string{config.Table: d.Table.TableName(), config.Bucket: d.Bucket.BucketName(), config.Code: d.Code,
			config.Machines: &prefix, config.Version: &s.Version},
	})
}

// statements are the permissions for what a function needs, and for no more.
func (n need) statements(st awscdk.Stack, s Settings, d Data) []awsiam.PolicyStatement {
	table, index := d.Table.TableArn(), jsii.String(*d.Table.TableArn()+"/index/*")
	out := []awsiam.PolicyStatement{constructs.ReadRecords.On(table, index), constructs.WriteRecords.On(table)}
	if len(n.reads) > 0 {
		out = append(out, constructs.ReadObjects.On(d.objects(n.reads)...), constructs.ListObjects.On(d.Bucket.BucketArn()))
	}
	if len(n.writes) > 0 {
		out = append(out, constructs.WriteObjects.On(d.objects(n.writes)...))
	}
	out = append(out, n.machineStatements(st, s)...)
	if n.asks {
		out = append(out, constructs.Actions{"sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"}.On(sagemakerARN(st, "endpoint")))
	}
	if n.watches {
		out = append(out, watching(st, s, d)...)
	}
	return out
}

func (n need) machineStatements(st awscdk.Stack, s Settings) (out []awsiam.PolicyStatement) {
	for _, m := range n.starts {
		out = append(out, constructs.Actions{"states:StartExecution"}.On(s.machineARN(st, m)))
	}
	for _, m := range n.stops {
		out = append(out, constructs.Actions{"states:StopExecution"}.On(s.executionsARN(st, m)))
	}
	for _, m := range n.answers {
		out = append(out, constructs.Actions{"states:SendTaskSuccess", "states:SendTaskFailure"}.On(s.machineARN(st, m)))
	}
	return out
}

// watching lets the API show steps, logs and curves, and delete uploads, a version whose digest is not the announced one included.
func watching(st awscdk.Stack, s Settings, d Data) []awsiam.PolicyStatement {
	logs := st.FormatArn(&awscdk.ArnComponents{Service: jsii.String("logs"), Resource: jsii.String("log-group"),
		ResourceName: jsii.String("/aws/sagemaker/TrainingJobs:*"), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME})
	return []awsiam.PolicyStatement{
		constructs.Actions{"states:DescribeExecution", "states:GetExecutionHistory"}.On(
			s.executionsARN(st, "train-model"), s.executionsARN(st, "evaluate-model")),
		constructs.Actions{"sagemaker:DescribeTrainingJob"}.On(jobARNs(st)...),
		constructs.Actions{"logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents"}.On(logs),
		constructs.Actions{"s3:DeleteObject", "s3:DeleteObjectVersion"}.On(d.objects([]string{"uploads/", "incoming/"})...),
	}
}

// objects are the ARNs of everything below some key prefixes.
func (d Data) objects(prefixes []string) []*string {
	var out []*string
	for _, p := range prefixes {
		out = append(out, d.Bucket.ArnForObjects(jsii.String(p+"*")))
	}
	return out
}
