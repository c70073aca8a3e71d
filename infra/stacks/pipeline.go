package stacks

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"

	"github.com/perennial-llm/perennial/infra/constructs"
	"github.com/perennial-llm/perennial/statemachines"
)

// Pipeline is the loop: what happens when data arrives, time passes or a person decides.
type Pipeline struct {
	awscdk.Stack
	Functions   Functions
	Machines    map[string]awsstepfunctions.StateMachine
	DeadLetters map[string]awssqs.Queue

	settings Settings
	training awsiam.Role
	serving  awsiam.Role
}

// NewPipeline makes the pipeline stack.
func NewPipeline(app awscdk.App, s Settings, d Data) Pipeline {
	st := stack(app, s, "pipeline", "functions, state machines, arrivals and schedules")
	p := Pipeline{Stack: st, settings: s, Functions: newFunctions(st, s, d, taskNeeds), Machines: map[string]awsstepfunctions.StateMachine{},
		DeadLetters: map[string]awssqs.Queue{}, training: newTrainingRole(st, s, d), serving: newServingRole(st, d)}
	values := p.substitutions(d)
	all := statemachines.All()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p.Machines[name] = constructs.NewMachine(st, name, constructs.MachineProps{FullName: s.Prefix + "-" + name,
			Definition: all[name], Substitutions: used(all[name], values), Statements: p.statements(all[name])})
	}
	p.onArrival(d)
	p.onSchedule()
	return p
}

// substitutions gives a value for every ${name} that a machine may have.
func (p Pipeline) substitutions(d Data) map[string]*string {
	s := p.settings
	out := map[string]*string{
		"BucketName": d.Bucket.BucketName(), "TrainingRoleArn": p.training.RoleArn(), "ServingRoleArn": p.serving.RoleArn(),
		"TrainingImageUri": image(p.Stack, s.TrainingImage), "ServingImageUri": image(p.Stack, s.ServingImage),
		"TrainingInstanceType": &s.TrainingInstance, "ServingInstanceType": &s.ServingInstance,
	}
	for name, f := range p.Functions {
		out[constructs.Pascal(name)+"FunctionArn"] = f.FunctionArn()
	}
	for name := range statemachines.All() {
		out[constructs.Pascal(name)+"StateMachineArn"] = s.machineARN(p.Stack, name)
	}
	return out
}

var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// used picks the values that a definition names. One without a value panics: the machine could not run.
func used(definition json.RawMessage, values map[string]*string) map[string]*string {
	out := map[string]*string{}
	for _, m := range placeholder.FindAllSubmatch(definition, -1) {
		name := string(m[1])
		if values[name] == nil {
			panic("no value for ${" + name + "} of a state machine")
		}
		out[name] = values[name]
	}
	return out
}

// statements are what a machine's role may do: exactly what the resources in its definition need.
func (p Pipeline) statements(definition json.RawMessage) []awsiam.PolicyStatement {
	var out []awsiam.PolicyStatement
	if arns := p.called(definition); len(arns) > 0 {
		out = append(out, constructs.Actions{"lambda:InvokeFunction"}.On(arns...))
	}
	for _, r := range resources(definition) {
		if allow, ok := integrations[r]; ok {
			out = append(out, allow(p)...)
		} else if !isLambda[r] {
			panic("no permissions are known for " + r)
		}
	}
	return out
}

// called gives the functions that a definition names.
func (p Pipeline) called(definition json.RawMessage) []*string {
	var out []*string
	for _, name := range slices.Sorted(maps.Keys(p.Functions)) {
		for _, m := range placeholder.FindAllSubmatch(definition, -1) {
			if string(m[1]) == constructs.Pascal(name)+"FunctionArn" {
				out = append(out, p.Functions[name].FunctionArn())
				break
			}
		}
	}
	return out
}

var resourceField = regexp.MustCompile(`"Resource"\s*:\s*"([^"]+)"`)

// resources gives the service integrations of a definition, each once, in order.
func resources(definition json.RawMessage) []string {
	var out []string
	for _, m := range resourceField.FindAllSubmatch(definition, -1) {
		out = append(out, string(m[1]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// managedRule is the ARN of a rule that Step Functions makes to hear of a job's end.
func (p Pipeline) managedRule(name string) *string {
	return p.FormatArn(&awscdk.ArnComponents{Service: jsii.String("events"), Resource: jsii.String("rule"), ResourceName: jsii.String(name)})
}
