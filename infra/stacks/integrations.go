package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"

	"github.com/perennial-llm/perennial/infra/constructs"
)

var isLambda = map[string]bool{"arn:aws:states:::lambda:invoke": true, "arn:aws:states:::lambda:invoke.waitForTaskToken": true}

var rules = constructs.Actions{"events:PutTargets", "events:PutRule", "events:DescribeRule"}

// integrations gives what a machine's role needs for each service integration beside Lambda. An
// integration that is not here cannot be synthesized.
var integrations = map[string]func(Pipeline) []awsiam.PolicyStatement{
	"arn:aws:states:::sagemaker:createTrainingJob.sync": func(p Pipeline) []awsiam.PolicyStatement {
		return []awsiam.PolicyStatement{
			constructs.Actions{"sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob", "sagemaker:AddTags", "sagemaker:ListTags"}.
				On(jobARNs(p.Stack)...),
			rules.On(p.managedRule("StepFunctionsGetEventsForSageMakerTrainingJobsRule")),
			mayPass(p.training),
		}
	},
	"arn:aws:states:::sagemaker:createModel": func(p Pipeline) []awsiam.PolicyStatement {
		return []awsiam.PolicyStatement{constructs.Actions{"sagemaker:CreateModel"}.On(sagemakerARN(p.Stack, "model")), mayPass(p.serving)}
	},
	"arn:aws:states:::sagemaker:createEndpointConfig": func(p Pipeline) []awsiam.PolicyStatement {
		return []awsiam.PolicyStatement{constructs.Actions{"sagemaker:CreateEndpointConfig"}.On(sagemakerARN(p.Stack, "endpoint-config"))}
	},
	"arn:aws:states:::sagemaker:createEndpoint": func(p Pipeline) []awsiam.PolicyStatement {
		return []awsiam.PolicyStatement{constructs.Actions{"sagemaker:CreateEndpoint"}.On(
			sagemakerARN(p.Stack, "endpoint"), sagemakerARN(p.Stack, "endpoint-config"))}
	},
	"arn:aws:states:::aws-sdk:sagemaker:describeEndpoint": func(p Pipeline) []awsiam.PolicyStatement {
		return []awsiam.PolicyStatement{constructs.Actions{"sagemaker:DescribeEndpoint"}.On(sagemakerARN(p.Stack, "endpoint"))}
	},
	"arn:aws:states:::aws-sdk:sagemaker:deleteEndpoint": func(p Pipeline) []awsiam.PolicyStatement {
		return []awsiam.PolicyStatement{constructs.Actions{"sagemaker:DeleteEndpoint"}.On(sagemakerARN(p.Stack, "endpoint"))}
	},
	"arn:aws:states:::states:startExecution.sync:2": func(p Pipeline) []awsiam.PolicyStatement {
		return []awsiam.PolicyStatement{
			constructs.Actions{"states:StartExecution"}.On(p.settings.machineARN(p.Stack, nested)),
			constructs.Actions{"states:DescribeExecution", "states:StopExecution"}.On(p.settings.executionsARN(p.Stack, nested)),
			rules.On(p.managedRule("StepFunctionsGetEventsForStepFunctionsExecutionRule")),
		}
	},
}

// nested is the one machine that another one starts.
const nested = "evaluate-model"
