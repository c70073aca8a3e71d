package constructs

import (
	"bytes"
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// MachineProps describe one state machine.
type MachineProps struct {
	FullName      string // in the account
	Definition    json.RawMessage
	Substitutions map[string]*string
	Statements    []awsiam.PolicyStatement
}

// NewMachine makes a state machine of a definition as it is, inline so that every check sees it, traced,
// with all its events logged.
func NewMachine(scope constructs.Construct, name string, p MachineProps) awsstepfunctions.StateMachine {
	id := Pascal(name)
	role := awsiam.NewRole(scope, jsii.String(id+"Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), nil), Description: jsii.String("What " + name + " may do")})
	for _, s := range p.Statements {
		role.AddToPolicy(s)
	}
	logs := awslogs.NewLogGroup(scope, jsii.String(id+"Logs"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/vendedlogs/states/" + p.FullName), Retention: awslogs.RetentionDays_THREE_MONTHS,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	return awsstepfunctions.NewStateMachine(scope, jsii.String(id), &awsstepfunctions.StateMachineProps{
		StateMachineName: &p.FullName, Role: role, TracingEnabled: jsii.Bool(true),
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(jsii.String(compact(p.Definition))),
		DefinitionSubstitutions: &p.Substitutions,
		Logs:                    &awsstepfunctions.LogOptions{Destination: logs, Level: awsstepfunctions.LogLevel_ALL, IncludeExecutionData: jsii.Bool(false)},
	})
}

func compact(definition json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, definition); err != nil {
		panic(err) // embedded at build time and linted
	}
	return b.String()
}
