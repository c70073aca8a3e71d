package constructs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// FunctionProps describe one Lambda function.
type FunctionProps struct {
	Dist        string // folder with <name>.zip
	Memory      int    // MB; 0 = 256
	Seconds     int    // timeout; 0 = 60
	Ephemeral   int    // MB of /tmp; 0 = 512
	Environment map[string]*string
	Statements  []awsiam.PolicyStatement
}

// NewFunction makes the function of one folder of functions/: Go on arm64, traced, with a role and a log
// group of its own.
func NewFunction(scope constructs.Construct, name string, p FunctionProps) awslambda.Function {
	id := Pascal(name)
	logs := awslogs.NewLogGroup(scope, jsii.String(id+"Logs"), &awslogs.LogGroupProps{
		Retention: awslogs.RetentionDays_THREE_MONTHS, RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	role := awsiam.NewRole(scope, jsii.String(id+"Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil), Description: jsii.String("What " + name + " may do")})
	role.AddToPolicy(WriteLogs.On(logs.LogGroupArn()))
	for _, s := range p.Statements {
		role.AddToPolicy(s)
	}
	return awslambda.NewFunction(scope, jsii.String(id), &awslambda.FunctionProps{
		Description: jsii.String("functions/" + name), Role: role, LogGroup: logs,
		Runtime: awslambda.Runtime_PROVIDED_AL2023(), Architecture: awslambda.Architecture_ARM_64(),
		Handler: jsii.String("bootstrap"), Code: awslambda.Code_FromAsset(jsii.String(archive(p.Dist, name)), nil),
		MemorySize: number(p.Memory, 256), Timeout: awscdk.Duration_Seconds(number(p.Seconds, 60)),
		EphemeralStorageSize: awscdk.Size_Mebibytes(number(p.Ephemeral, 512)),
		Environment:          &p.Environment, Tracing: awslambda.Tracing_ACTIVE,
	})
}

// archive finds a function's code; a build that is missing is told before CloudFormation finds out.
func archive(dist, name string) string {
	path := filepath.Join(dist, name+".zip")
	if _, err := os.Stat(path); err != nil {
		panic(fmt.Sprintf("no archive %s: run scripts/build/lambdas.sh first", path))
	}
	return path
}

func number(n, fallback int) *float64 {
	if n == 0 {
		n = fallback
	}
	return jsii.Number(n)
}

// Pascal turns a folder's name into its id: "training-plan" into "TrainingPlan".
func Pascal(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
